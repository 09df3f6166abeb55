// Package access gives one configured owner its clients: the REST client of each
// phase, the reader of whole packages, and the target that enforce works on. The
// command line and the enforcer function wire owners with it in the same way.
//
// It makes no call while dialling, keeps no credential beyond the clients, and
// never gives one owner the credential of another: every client is bound to the
// owner that it was dialled for. Stores come in as small interfaces.
package access
