// Package doctor knows what can be wrong with a set-up, what to call it, and what
// to do about it. One table holds every condition: findings, their JSON codes and
// the documentation come from it.
//
// It looks at errors and answers that others got. It asks nobody anything, changes
// nothing, and never takes an error that it does not know for one that it does.
package doctor
