// Package report shows plans, runs, the ledger, policies and inventories: as a
// table for people, as JSON for programs, as Markdown for pull requests and job
// summaries, as a page for a browser. It writes to the writer that it is handed. It never decides
// anything, never reads a clock or the environment, and never opens a connection.
//
// Names, tags and reasons come from whoever can push a package. Every format
// makes them harmless: no control character, escape sequence, line break or
// markup of theirs reaches the output as such.
package report
