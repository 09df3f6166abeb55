// Package retention is the vocabulary of Shelflife: owners, packages, versions,
// the reference graph, decisions, plan items, outcomes and runs. It is pure
// data with small pure methods. It never does I/O, reads no clock and imports
// no SDK.
//
// Zero values are the harmless ones: the zero Mode observes, the zero Action
// keeps, the zero Inventory is incomplete.
package retention
