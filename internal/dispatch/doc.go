// Package dispatch answers the events that reach the enforcer function: the
// schedule's tick, batches of work items from the queue, and what a person asks
// for by invoking it directly.
//
// It knows neither AWS clients nor GitHub: the engine, the stores and the
// commands come in as small interfaces. It never acknowledges an item that failed
// for an unknown reason, and never answers an event that it does not understand
// with success.
package dispatch
