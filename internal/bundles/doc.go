// Package bundles gets policy bundles from where they are published, and keeps
// the last good one, so that a source which can't be reached, or serves something
// that is refused, stops neither a sweep nor, for long, goes unnoticed.
//
// It never looks into a bundle: whether one is good is said by the function that
// opens it, which has to verify its signature. A kept bundle is opened, and so
// verified, again each time. The package knows no cloud; awsbundle below it does.
package bundles
