// Package deptest holds the import rules of the architecture as a test, so that
// a dependency in the wrong place fails the build rather than a review.
package deptest
