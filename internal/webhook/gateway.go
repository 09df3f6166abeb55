package webhook

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
)

// HandleGateway answers an event of an API Gateway HTTP API (payload format
// 2.0), given as its fields: requestContext.http.method, headers, body and
// isBase64Encoded. The body is decoded first, since the signature covers the
// bytes that GitHub sent.
func (h *Handler) HandleGateway(ctx context.Context, method string, headers map[string]string, body string, isBase64 bool) Response {
	start := h.cfg.Now()
	ctx, cancel := context.WithTimeout(ctx, h.cfg.Timeout)
	defer cancel()
	req := Request{Method: method, Headers: lowerNames(headers)}
	size := len(body)
	if isBase64 {
		size = base64.StdEncoding.DecodedLen(size) - 2 // padding makes it at most 2 fewer
	}
	a := h.screen(req, int64(size))
	if a.status == 0 {
		req.Body, a = gatewayBody(body, isBase64)
	}
	if a.status == 0 {
		a = h.handle(ctx, req)
	}
	return h.finish(ctx, req, start, a)
}

func gatewayBody(body string, isBase64 bool) ([]byte, answer) {
	if !isBase64 {
		return []byte(body), answer{}
	}
	b, err := base64.StdEncoding.DecodeString(body)
	if err != nil {
		err = fmt.Errorf("decode body: %w", err)
		return nil, answer{status: http.StatusBadRequest, outcome: "body could not be read", err: err}
	}
	return b, answer{}
}
