package metrics

// The names of the metrics. All are counts unless they say otherwise.
const (
	Heartbeat         = "Heartbeat"         // a tick that went well
	SweepsStarted     = "SweepsStarted"     // per owner
	SweepsFinished    = "SweepsFinished"    // per owner
	SweepsFailed      = "SweepsFailed"      // per owner: given up until the next one is due
	Deleted           = "Deleted"           // per owner, when a run ends: versions and packages
	Restored          = "Restored"          // likewise
	Gone              = "Gone"              // likewise: were not there any more
	Blocked           = "Blocked"           // likewise: GitHub refused them
	Changed           = "Changed"           // likewise: changed since the plan, and left alone
	Failed            = "Failed"            // likewise
	Unknown           = "Unknown"           // likewise: what became of them can't be told
	Held              = "Held"              // per owner and plan: by an alarm or a budget
	UnknownOutcomes   = "UnknownOutcomes"   // per owner and tick: of the last day, and what is open past its time
	BudgetUsedPercent = "BudgetUsedPercent" // per owner and tick, in percent of deletes_per_day
	PausedSeconds     = "PausedSeconds"     // per owner and tick: for how long it has been paused; 0 when it is not
	RESTCalls         = "RESTCalls"         // per owner and work item
	RegistryCalls     = "RegistryCalls"     // likewise
	CallsSaved        = "CallsSaved"        // likewise: that snapshots made needless
	PutOff            = "PutOff"            // per owner: items of another revision, or that came when the owner was taken
	QueuePutFailures  = "QueuePutFailures"  // items that could not be queued
	Redelivered       = "Redelivered"       // webhook deliveries that GitHub was asked to send again
	RedeliverFailed   = "RedeliverFailed"   // times that going through the deliveries failed
	Deliveries        = "Deliveries"        // webhook: requests that were answered
	Deliveries2xx     = "Deliveries2xx"
	Deliveries4xx     = "Deliveries4xx"
	Deliveries5xx     = "Deliveries5xx"
)
