package ghapp

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/google/go-github/v62/github"
)

// Delivery is one webhook delivery as GitHub keeps it for three days.
type Delivery struct {
	GUID       string
	Event      string
	At         time.Time
	StatusCode int    // what the receiver answered, 0 when it did not
	Status     string // GitHub's words
}

// Delivered reports whether the receiver took it.
func (d Delivery) Delivered() bool { return d.StatusCode >= 200 && d.StatusCode < 300 }

// Deliveries asks for the newest deliveries of the App's webhook (GET
// /app/hook/deliveries), at most 100, newest first. configured is false when the
// App has no webhook. Its errors are those of AppInfo.
func (a *AppSource) Deliveries(ctx context.Context) (list []Delivery, configured bool, err error) {
	found, _, err := a.client().Apps.ListHookDeliveries(ctx, &github.ListCursorOptions{PerPage: 100})
	if err != nil {
		err = a.failed(ctx, "read the webhook's deliveries", err)
		if e, ok := errors.AsType[*AuthError](err); ok && e.Status == http.StatusNotFound {
			return nil, false, nil
		}
		return nil, false, err
	}
	for _, d := range found {
		list = append(list, Delivery{
			GUID: d.GetGUID(), Event: d.GetEvent(), At: d.GetDeliveredAt().Time, StatusCode: d.GetStatusCode(), Status: d.GetStatus(),
		})
	}
	return list, true, nil
}
