package packages

import (
	"context"
	"fmt"

	"github.com/shelflife-dev/shelflife/internal/retention"
)

type wireAccount struct {
	ID    int64  `json:"id"`
	Login string `json:"login"`
	Type  string `json:"type"` // Organization or User; Bot, Mannequin and others own no packages
}

// Owner reads an account's id and its login as GitHub spells it. Kind "" finds
// out which kind it is; a wrong kind is an error. An empty login of kind User is
// the authenticated user: the answer names the account, and Packages calls with
// it go to /users/{login}; to go on below /user, keep the owner with the empty login.
func (c *Client) Owner(ctx context.Context, login string, kind retention.OwnerKind) (retention.Owner, error) {
	asked := retention.Owner{Login: login, Kind: kind}
	op := read("look up %s", label(asked))
	path, err := accountPath(asked)
	if err != nil {
		return retention.Owner{}, refuseLocally(op, err)
	}
	a, err := c.get(ctx, op, path, nil)
	if err != nil {
		return retention.Owner{}, err
	}
	w, err := decodeOne[wireAccount](a.body)
	if err == nil && (w.ID <= 0 || w.Login == "") {
		err = fmt.Errorf("the answer names no account")
	}
	if err != nil {
		return retention.Owner{}, unreadable(op, a, err)
	}
	found := retention.Owner{Login: w.Login, ID: retention.ID(w.ID)}
	switch {
	case w.Type == "Organization", w.Type == "" && kind == retention.Organization:
		found.Kind = retention.Organization
	case w.Type == "User", w.Type == "" && kind == retention.User:
		found.Kind = retention.User
	}
	if err := sameAccount(asked, found, w.Type); err != nil {
		return retention.Owner{}, finish(op, &Error{
			Outcome: Refused, RequestID: a.requestID, Err: err, Next: "correct the owner's name and kind in the configuration",
		})
	}
	return found, nil
}

func accountPath(o retention.Owner) (string, error) {
	if o.IsSelf() {
		return "user", nil
	}
	login, err := segment("owner", o.Login)
	if err != nil {
		return "", err
	}
	switch o.Kind {
	case retention.Organization:
		return "orgs/" + login, nil
	case retention.User, "":
		return "users/" + login, nil
	}
	return "", fmt.Errorf("kind %q is neither %s nor %s", o.Kind, retention.Organization, retention.User)
}

// sameAccount keeps a renamed or re-registered account from passing for the one
// that was configured.
func sameAccount(asked, found retention.Owner, said string) error {
	switch {
	case asked.Login != "" && !retention.SameLogin(asked.Login, found.Login):
		return fmt.Errorf("%s is now called %s", asked.Login, clean(found.Login))
	case found.Kind == "":
		return fmt.Errorf("%s is neither an organization nor a user but %q", clean(found.Login), clean(said))
	case asked.Kind != "" && asked.Kind != found.Kind:
		return fmt.Errorf("%s is of kind %s, not %s", clean(found.Login), found.Kind, asked.Kind)
	}
	return nil
}
