// Package sweep is the engine behind the scheduled enforcer and the reaction to
// webhooks. It starts the sweeps that are due, works them in slices so that a
// webhook never waits long, resumes what was paused or interrupted, and looks at
// single packages that a webhook names. The server and the functions give it a
// queue, stores and access; it knows none of their transports.
//
// It decides nothing (policy and guard do) and makes no call of its own (enforce
// does). A work item says where to look, never what to do: one that comes late or
// twice costs a reading and nothing else. Only the worker that holds an owner
// writes that owner's state, and only configured owners are ever touched. What
// a percentage alarm holds stays held: no person has read the plan.
package sweep
