// Drives a server with the generated Go client, as the README's table shows it, and prints what each call says.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"

	"loops"
)

// Said is what a call came to: the error as the client words it, and its typed model.
type Said struct {
	Call    string `json:"call"`
	Status  int    `json:"status"`
	Success bool   `json:"success"`
	Error   string `json:"error"`
	Model   string `json:"model"`
	Message string `json:"message"`
	Path    string `json:"path"`
}

func said(call string, success bool, response *http.Response, err error) Said {
	found := Said{Call: call, Success: success}
	if response != nil {
		found.Status = response.StatusCode
	}
	if err == nil {
		return found
	}
	found.Error = err.Error()
	var failure *loops.GenericOpenAPIError
	if !errors.As(err, &failure) || failure.Model() == nil {
		return found
	}
	found.Model = fmt.Sprintf("%T", failure.Model())
	switch model := failure.Model().(type) {
	case loops.EventFailureResponse:
		found.Message = model.GetMessage()
	case loops.IdempotencyKeyFailureResponse:
		found.Message = model.GetMessage()
	case loops.TransactionalFailure3Response:
		found.Message = model.GetMessage()
		detail := model.GetError()
		found.Path = detail.GetPath()
	}
	return found
}

func main() {
	cfg := loops.NewConfiguration()
	cfg.Servers = loops.ServerConfigurations{{URL: os.Getenv("BASE_URL")}}
	client := loops.NewAPIClient(cfg)
	ctx := context.WithValue(context.Background(), loops.ContextAccessToken, os.Getenv("API_KEY"))

	send := func(call string, key string, change func(*loops.EventRequest)) Said {
		request := *loops.NewEventRequest("signup")
		request.SetEventName("signup") // some versions of the generator lose the constructor's argument
		change(&request)
		calling := client.EventsAPI.SendEvent(ctx).EventRequest(request)
		if key != "" {
			calling = calling.IdempotencyKey(key)
		}
		answer, response, err := calling.Execute()
		return said(call, answer.GetSuccess(), response, err)
	}
	ada := func(request *loops.EventRequest) {
		request.SetEmail("ada@example.com")
		request.SetEventProperties(map[string]interface{}{"planName": "pro", "seats": 3})
		request.AdditionalProperties = map[string]interface{}{"firstName": "Ada"}
	}
	nobody := func(*loops.EventRequest) {}

	transactional := *loops.NewTransactionalRequest("ada@example.com", "nosuchemail")
	answer, response, err := client.TransactionalEmailsAPI.SendTransactionalEmail(ctx).
		TransactionalRequest(transactional).Execute()

	results := []Said{
		send("an event", "first", ada),
		send("the same key", "first", ada),
		send("nobody's event", "", nobody),
		said("an email that is not there", answer.GetSuccess(), response, err),
	}
	if err := json.NewEncoder(os.Stdout).Encode(results); err != nil {
		panic(err)
	}
}
