package lambdatest

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
)

// maxRequest is the largest body that an HTTP API takes: 10 MB.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
const maxRequest = 10 << 20

// Front is an HTTP API with one route, in the form of ServeMux patterns such as
// "POST /webhook", that is integrated with the function (payload format 2.0).
func Front(f *Function, route string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc(route, func(w http.ResponseWriter, r *http.Request) { pass(w, r, f, route) })
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { say(w, http.StatusNotFound, "Not Found") })
	return mux
}

// pass turns a request into an event, and the function's answer into a response.
func pass(w http.ResponseWriter, r *http.Request, f *Function, route string) {
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxRequest))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		say(w, http.StatusRequestEntityTooLarge, "Request Entity Too Large")
		return
	}
	if err != nil {
		return // the sender is gone
	}
	event, err := encode(requestEvent(r, body, route))
	if err != nil {
		say(w, http.StatusInternalServerError, "Internal Server Error")
		return
	}
	answer, err := f.Invoke(r.Context(), event)
	if err != nil {
		say(w, http.StatusInternalServerError, "Internal Server Error")
		return
	}
	respond(w, answer)
}

// requestEvent is the event of payload format 2.0: names of headers in lower case,
// repeated ones joined, and a body that is no text in base64.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
func requestEvent(r *http.Request, body []byte, route string) events.APIGatewayV2HTTPRequest {
	headers := map[string]string{"host": r.Host}
	for name, values := range r.Header {
		headers[strings.ToLower(name)] = strings.Join(values, ",")
	}
	ip, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		ip = r.RemoteAddr
	}
	now := time.Now().UTC()
	e := events.APIGatewayV2HTTPRequest{
		Version: "2.0", RouteKey: route, RawPath: r.URL.EscapedPath(), RawQueryString: r.URL.RawQuery, Headers: headers,
		RequestContext: events.APIGatewayV2HTTPRequestContext{
			RouteKey: route, AccountID: "123456789012", Stage: "$default", RequestID: requestID(), APIID: "api", DomainName: r.Host,
			Time: now.Format("02/Jan/2006:15:04:05 -0700"), TimeEpoch: now.UnixMilli(),
			HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{
				Method: r.Method, Path: r.URL.Path, Protocol: r.Proto, SourceIP: ip, UserAgent: r.UserAgent(),
			},
		},
	}
	if e.IsBase64Encoded = !isText(r.Header.Get("Content-Type")); e.IsBase64Encoded {
		e.Body = base64.StdEncoding.EncodeToString(body)
	} else {
		e.Body = string(body)
	}
	return e
}

func isText(contentType string) bool {
	typ, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return false
	}
	return strings.HasPrefix(typ, "text/") || typ == "application/json" || typ == "application/javascript" || typ == "application/xml"
}

// respond writes the function's answer. One without a status code is a body by itself.
func respond(w http.ResponseWriter, answer []byte) {
	var a events.APIGatewayV2HTTPResponse
	if err := json.Unmarshal(answer, &a); err != nil || a.StatusCode == 0 {
		a = events.APIGatewayV2HTTPResponse{StatusCode: http.StatusOK, Headers: map[string]string{"content-type": "application/json"}, Body: string(answer)}
	}
	body := []byte(a.Body)
	if a.IsBase64Encoded {
		var err error
		if body, err = base64.StdEncoding.DecodeString(a.Body); err != nil {
			say(w, http.StatusInternalServerError, "Internal Server Error")
			return
		}
	}
	for name, value := range a.Headers {
		w.Header().Set(name, value)
	}
	w.WriteHeader(a.StatusCode)
	_, _ = w.Write(body) // the sender may be gone
}

// say answers as API Gateway does by itself.
func say(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, `{"message":"`+message+`"}`)
}
