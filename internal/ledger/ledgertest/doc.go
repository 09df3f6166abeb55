// Package ledgertest holds the conformance suite that every ledger.Store must
// pass, and Memory, a Store that forgets: the reference for the suite and quick to
// use in other packages' tests. It is for tests only and keeps nothing.
package ledgertest
