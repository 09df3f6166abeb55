// Package inventory reads the complete state of packages: their versions from
// GitHub's REST API, for containers the reference graph from the registry, and
// which deleted versions this system deleted. It keeps a snapshot of every
// complete reading and uses it again while nothing shows a change.
//
// It says exactly when a reading is not complete, and treats an empty or
// shrunken listing as lost access. It never decides what to delete, and never
// changes anything but its own snapshots.
package inventory
