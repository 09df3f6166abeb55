package ghapp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/google/go-github/v62/github"
)

// HookDelivery is one attempt to deliver a webhook of the App. A redelivery has
// the GUID of the first attempt and an id of its own.
// https://docs.github.com/en/rest/apps/webhooks#list-deliveries-for-an-app-webhook
type HookDelivery struct {
	ID          int64
	GUID        string // X-GitHub-Delivery
	Event       string
	DeliveredAt time.Time
	Redelivery  bool
	StatusCode  int // of the receiver's answer; 0 when there was none
}

// OK reports whether the receiver took the delivery.
func (d HookDelivery) OK() bool { return d.StatusCode/100 == 2 }

// AppID is the App's id.
func (a *AppSource) AppID() int64 { return a.opts.AppID }

// hookPage is how many deliveries are asked for at once, the most that GitHub gives.
const hookPage = 100

// HookDeliveries lists deliveries of the App's webhook, the newest first: the page
// at a cursor ("" is the first) and the cursor of the next ("" when there is
// none). It goes back 3 days (7 on GitHub Enterprise Server). Its errors are those
// of AppInfo.
func (a *AppSource) HookDeliveries(ctx context.Context, cursor string) (page []HookDelivery, next string, err error) {
	list, resp, err := a.client().Apps.ListHookDeliveries(ctx, &github.ListCursorOptions{PerPage: hookPage, Cursor: cursor})
	if err != nil {
		return nil, "", a.hookFailed(ctx, "list webhook deliveries", err)
	}
	for _, d := range list {
		page = append(page, HookDelivery{
			ID: d.GetID(), GUID: d.GetGUID(), Event: d.GetEvent(), DeliveredAt: d.GetDeliveredAt().UTC(), Redelivery: d.GetRedelivery(), StatusCode: d.GetStatusCode(),
		})
	}
	return page, resp.Cursor, nil
}

// Redeliver asks GitHub to deliver again. GitHub answers before it does so: what
// came of it is in the list later.
func (a *AppSource) Redeliver(ctx context.Context, id int64) error {
	_, _, err := a.client().Apps.RedeliverHookDelivery(ctx, id)
	var accepted *github.AcceptedError
	if err == nil || errors.As(err, &accepted) {
		return nil
	}
	return a.hookFailed(ctx, fmt.Sprintf("redeliver webhook delivery %d", id), err)
}

func (a *AppSource) hookFailed(ctx context.Context, op string, err error) error {
	err = a.failed(ctx, op, err)
	var auth *AuthError
	if errors.As(err, &auth) && auth.Status == http.StatusNotFound {
		auth.Next = "the App has no webhook, or the delivery is too old: look at the App's settings"
	}
	return err
}
