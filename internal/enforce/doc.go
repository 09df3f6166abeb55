// Package enforce is the straight line: it reads an owner's packages, asks the
// policies, has the guard make a plan, and carries out exactly that plan with a
// ledger entry before and after every call.
//
// It decides nothing itself (policy and guard do), knows no wire format
// (packages and oci do) and stores nothing (ledger does). Everything it needs
// comes in as small interfaces.
package enforce
