// Package dashboard is the web page of shelflife serve: owners, runs, what can
// still be undone, the budget, and the three things a person may do there: pause,
// resume, and undo a run. It reads and acts through the small interfaces of its
// Config; undoing goes the way of every other undo: plan, guard, ledger.
//
// Every page but the one to sign in needs a session. A GET never changes anything.
// A POST must come from the dashboard's own pages: the browser has to say so, and
// the form has to bear its session's token. The Host header must be one of those
// that the dashboard is meant to be reached by. The pages run no script and load
// nothing but their own style; only the report of a run brings its own program,
// named by its digest.
//
// It never decides what is deleted or restored, never deletes, keeps no secret in
// a page, an address or a log, and knows nothing of GitHub or of databases.
package dashboard
