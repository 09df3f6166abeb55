// Package policycase runs table-driven policy tests: a *.case.yaml file beside
// a policy says in a short form what a package holds and what the policies must
// decide about it. The facts (ages, ranks, semantic versions, the reference
// graph) are computed by the same code as for a real package, and the outcome
// after the guards by the same guards.
//
// It never talks to GitHub, never reads a clock, and acts on nothing. A decision
// that no expectation names fails a case just as an unmet expectation does.
package policycase
