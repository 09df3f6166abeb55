// Package guard holds what no policy can override. It turns the decisions of
// policies into a Plan, and it is the only package that can make one: Check
// and Undo judge one package, Assemble judges one owner and seals the whole.
//
// It never does I/O, reads no clock and imports no SDK. Whatever it does not
// know (an age, a page, a manifest) counts against deletion.
package guard
