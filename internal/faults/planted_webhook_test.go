package faults

import (
	"testing"

	"github.com/shelflife-dev/shelflife/internal/githubsim"
)

func TestCallForWhatNoGenuineDeliverySpeaksOfIsNoticed(t *testing.T) {
	plant(t, func(p planted) { p.call("GET", "/orgs/Stranger/packages/container/web/versions") },
		func(p planted) []string { return checkNeverNamed(p.sim.Calls(), stranger) })
	if len(checkNeverNamed([]githubsim.Call{{Method: "GET", Path: "/token", Query: "scope=repository:stranger/web:pull"}}, stranger)) == 0 {
		t.Error("named in the query only: the check found nothing")
	}
}

// TestSecondLookAtADeliveryThatDeletesAgainIsNoticed has nobody's intents to compare
// with: each version may be deleted once.
func TestSecondLookAtADeliveryThatDeletesAgainIsNoticed(t *testing.T) {
	plant(t, func(p planted) {
		path := p.victim("web", anyKey)
		p.hand("DELETE", path)
		p.call("DELETE", path)
	}, func(p planted) []string { return checkOnce(p.sim.Calls(), nil) })
}
