// Package sqlite is the embedded store: one SQLite file that holds the ledger,
// the package snapshots, the manifest cache and the decision log, and answers
// read-only SQL over them. It is used by the command line, by the self-hosted
// server and by tests. Several processes may have the file open at once.
//
// What the ledger commits is flushed to the disk before Commit returns. Snapshots,
// manifests and decisions can be had again and are flushed later.
//
// The package never calls GitHub, never changes or removes a ledger record (the
// file itself refuses it), and never lets a query write.
package sqlite
