// Package policy loads, checks and evaluates the Rego policies that decide
// about packages. It turns an inventory into the input document of the policy
// contract, evaluates all policies over it at once, and turns their answers
// into a retention.Judgement.
//
// It is the only importer of OPA. It never lets a policy see a clock, the
// network, randomness or the environment; it never turns an error into
// silence: a policy that fails on a package is recorded as a failure there and
// its decisions on that package are dropped. It acts on nothing.
package policy
