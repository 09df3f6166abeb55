// Package supplychain holds nothing but tests: that what builds and releases the
// project is pinned, and may do no more than it needs.
package supplychain
