package webhook

import (
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/e6b96b0c/backend/templates/platform/telemetry"
)

// What becomes of a message. Refused ones would be again.
const (
	outcomeDelivered = iota
	outcomeRefused
	outcomeFailed
	outcomes
)

// counters counts messages and attempts, by the name of the message.
type counters struct {
	service string
	metrics *telemetry.Metrics // nil: nobody counts
	log     *slog.Logger

	mu     sync.Mutex
	byName map[string]*counter
}

type counter struct {
	attempts atomic.Int64
	messages [outcomes]atomic.Int64
}

func (c *counters) attempt(name string) { c.of(name).attempts.Add(1) }

func (c *counters) message(name string, outcome int) { c.of(name).messages[outcome].Add(1) }

// of returns the counter of a message, registered when it is first asked for.
func (c *counters) of(name string) *counter {
	c.mu.Lock()
	defer c.mu.Unlock()
	if known := c.byName[name]; known != nil {
		return known
	}
	if c.byName == nil {
		c.byName = map[string]*counter{}
	}
	made := new(counter)
	c.byName[name] = made
	if c.metrics == nil {
		return made
	}
	c.register("webhook_attempts_total", "Attempts to deliver a message.",
		telemetry.Labels{"service": c.service, "message": name}, &made.attempts)
	for i, outcome := range []string{outcomeDelivered: "delivered", outcomeRefused: "refused", outcomeFailed: "failed"} {
		c.register("webhook_messages_total", "Messages by what became of them: delivered, refused for good, or failed.",
			telemetry.Labels{"service": c.service, "message": name, "outcome": outcome}, &made.messages[i])
	}
	return made
}

func (c *counters) register(name, help string, labels telemetry.Labels, n *atomic.Int64) {
	if err := c.metrics.Counter(name, help, labels, func() float64 { return float64(n.Load()) }); err != nil {
		c.log.Error("a metric was not registered", slog.String("metric", name), slog.Any("error", err))
	}
}
