package ghapp

import (
	"io"
	"net/http"
)

// replayable reports whether the body, if any, can be sent a second time.
func replayable(req *http.Request) bool {
	return req.Body == nil || req.Body == http.NoBody || req.GetBody != nil
}

// rewound returns the request with its body from the start.
func rewound(req *http.Request) (*http.Request, error) {
	if req.Body == nil || req.Body == http.NoBody {
		return req, nil
	}
	body, err := req.GetBody()
	if err != nil {
		return nil, &unsentError{err}
	}
	again := req.Clone(req.Context())
	again.Body = body
	return again, nil
}

func closeBody(req *http.Request) {
	if req.Body != nil {
		_ = req.Body.Close() // the request was not sent: nothing depends on its body any more
	}
}

// discard frees the connection of an answer that nobody will read.
func discard(resp *http.Response) {
	if resp == nil {
		return
	}
	_, _ = io.CopyN(io.Discard, resp.Body, peekLimit) // only so that the connection can be used again
	_ = resp.Body.Close()
}

// watchBody calls done once the body of resp has been read or closed.
func watchBody(resp *http.Response, done func()) {
	if resp.Body == nil || resp.Body == http.NoBody {
		done()
		return
	}
	resp.Body = &watchedBody{body: resp.Body, done: done}
}

type watchedBody struct {
	body io.ReadCloser
	done func()
}

func (b *watchedBody) Read(p []byte) (int, error) {
	n, err := b.body.Read(p)
	if err != nil {
		b.done()
	}
	return n, err
}

func (b *watchedBody) Close() error {
	err := b.body.Close()
	b.done()
	return err
}
