// Package e2e holds the end-to-end tests of the functions on AWS: the real bootstraps,
// built by the Makefile's own targets, run by lambdatest against moto and the GitHub
// simulator. It has no code of its own.
//
// make test-aws runs it and prints what it did. SHELFLIFE_KILLS and SHELFLIFE_SEED
// set how often, and from which seed on, a slice is killed; see make test-aws-kills.
package e2e
