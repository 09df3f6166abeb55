package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/shelflife-dev/shelflife/internal/githubsim"
	"github.com/shelflife-dev/shelflife/internal/lambdatest"
	"github.com/shelflife-dev/shelflife/internal/retention"
	"github.com/shelflife-dev/shelflife/internal/sweep"
)

func TestAPoisonMessageIsDeadAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, spec{})
	const poison = `{"v":1,"kind":`
	w.send(owner, "poison", poison)
	body, err := json.Marshal(lookAt("p0", "after the poison"))
	w.must(err)
	w.send(owner, "good", string(body)) // in the same group, and so in the same batch
	var batches []lambdatest.Batch
	w.source.Batches = func(b lambdatest.Batch) { batches = append(batches, b) }
	w.work()
	diff(t, "dead letters", []string{poison}, w.deadBodies())
	diff(t, "gone", swept(1, 4), sorted(w.gone()))
	diff(t, "batches, one for each time that the poison is received", 5, len(batches))
	for _, b := range batches {
		diff(t, "failed", []string{poison}, b.Failed)
	}
	diff(t, "runs", 1, w.runs())
	w.clean(owner)
	passed(t)
}

// The process is killed at its deadline while GitHub does not answer a deletion.
func TestADeadlineInTheMiddleOfASliceLosesNothing(t *testing.T) {
	t.Parallel()
	const timeout = 3 * time.Second
	w := newWorld(t, spec{slice: timeout, timeout: timeout, owners: []githubsim.Owner{{Login: owner, Packages: stale(2, 3)}}})
	var once sync.Once
	w.taps.set(func(call string) tap {
		var out tap
		if strings.HasPrefix(call, "GitHub DELETE") {
			once.Do(func() {
				out = tap{lose: true, hang: after(t, timeout)} // done by GitHub, but nobody hears of it
			})
		}
		return out
	})
	var batches []lambdatest.Batch
	w.source.Batches = func(b lambdatest.Batch) { batches = append(batches, b) }
	w.due(owner)
	w.tick()
	began := time.Now()
	w.work()
	if len(batches) < 2 || len(batches[0].Failed) != 1 || time.Since(began) < timeout {
		t.Errorf("after %s: %+v; want the first slice to fail at its deadline", time.Since(began), batches)
	}
	diff(t, "phase", sweep.Done, w.state(owner).Phase)
	diff(t, "gone", swept(2, 3), sorted(w.gone()))
	diff(t, "calls that delete", 4, w.deletions()) // the lost one was found out by reading
	diff(t, "dead letters", 0, len(w.deadBodies()))
	w.clean(owner)
	passed(t)
}

// after is closed when the time is over.
func after(t testing.TB, d time.Duration) <-chan struct{} {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx.Done()
}

func lookAt(pkg, change string) retention.WorkItem {
	return retention.NewPackageWork(retention.PackageRef{Owner: owner, Type: retention.NPM, Name: pkg},
		retention.Trigger{Kind: retention.TriggerWebhook, Event: "package", Action: "published", Sender: "jane"}, strings.ReplaceAll(change, " ", "-"))
}

// Ten workers on one owner at once, which the queue would not let happen, each with
// deletions to make. What keeps workers apart is taken away again and again.
func TestTenWorkersNeverPassTheBudget(t *testing.T) {
	t.Parallel()
	const workers, each, limit = 10, 2, 7
	w := newWorld(t, spec{
		owners: []githubsim.Owner{{Login: owner, Packages: stale(workers, each+1)}},
		limits: fmt.Sprintf("{deletes_per_run: 1000, deletes_per_day: %d, percent_of_package: 100, percent_of_owner: 100}", limit),
	})
	stop := make(chan struct{})
	var freeing, all sync.WaitGroup
	freeing.Go(func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				if err := w.expire(t.Context()); err != nil {
					t.Error(err)
					return
				}
			case <-stop:
				return
			}
		}
	})
	for n := range workers {
		all.Go(func() {
			body, err := json.Marshal(lookAt(fmt.Sprintf("p%d", n), fmt.Sprintf("worker-%d", n)))
			if err != nil {
				t.Error(err)
				return
			}
			event, err := json.Marshal(events.SQSEvent{Records: []events.SQSMessage{{MessageId: fmt.Sprint(n), Body: string(body), EventSource: "aws:sqs", Attributes: map[string]string{"MessageGroupId": owner}, EventSourceARN: w.arn(w.queue)}}})
			if err != nil {
				t.Error(err)
				return
			}
			for range 5 { // as often as the queue would
				answer, err := w.enforcer.Invoke(t.Context(), event)
				if err == nil && !strings.Contains(string(answer), `"itemIdentifier"`) {
					return
				}
			}
		})
	}
	all.Wait()
	close(stop)
	freeing.Wait()
	for range 5 { // what came while another was at work was put off
		w.aws.forget()
		w.tick()
		w.work()
	}
	// Units are whole, so that an odd budget may leave one deletion unspent.
	if n := len(w.gone()); n > limit || n < limit-each+1 || n != w.deletions() {
		t.Errorf("%d are gone after %d calls, of a budget of %d", n, w.deletions(), limit)
	}
	if c := w.enforcer.Counts(); c.Sandboxes < workers {
		t.Errorf("%+v: they were not at work at once", c)
	}
	w.clean(owner)
	passed(t)
}
