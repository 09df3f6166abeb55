// Package faults proves that nothing is lost and nothing extra deleted when
// processes die, GitHub misbehaves or what comes in is hostile. A campaign is a
// kind of disturbance against a target (the command line, the server, the
// enforcement line on DynamoDB, …); it plays many cases, each drawn from a seed
// that plays it again. After every case the simulated GitHub and the ledger are
// checked from outside: the code's own word counts for nothing.
//
// The ordinary code here runs campaigns and reports them; the campaigns and the
// checks are tests. Plain go test plays a few cases of each, the build tag
// faults all of them. The package never reaches beyond this machine and is no
// part of the program.
package faults
