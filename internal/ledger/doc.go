// Package ledger is the write-ahead record of everything Shelflife does: runs,
// the intent of each action before the call, its outcome after it, and the
// budget that deletions are taken from.
//
// Each owner has one append-only chain of records; every record holds the hash
// of the one before it. All writes of one owner are serialised by the head of
// its chain: a commit names the head that it was built on and fails when the
// head has moved. What is read between reading the head and committing is
// therefore still true when the commit succeeds.
//
// The package holds the rules only. It imports no database (Store is the small
// interface that one must offer), never calls GitHub, never refunds a
// reservation and never changes or removes a record.
package ledger
