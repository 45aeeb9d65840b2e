package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// formatMS shows milliseconds with about three digits: "0.42 ms", "12.3 ms", "1.21 s".
func formatMS(v float64) string {
	switch {
	case v >= 1000:
		return fmt.Sprintf("%.2f s", v/1000)
	case v >= 100:
		return fmt.Sprintf("%.0f ms", v)
	case v >= 10:
		return fmt.Sprintf("%.1f ms", v)
	default:
		return fmt.Sprintf("%.2f ms", v)
	}
}

func formatSeconds(v float64) string {
	switch {
	case v >= 120:
		return strings.TrimSuffix(fmt.Sprintf("%.1f", v/60), ".0") + " min"
	default:
		return strings.TrimSuffix(fmt.Sprintf("%.1f", v), ".0") + " s"
	}
}

// formatCount groups thousands: 12,345.
func formatCount(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// formatRate shows a rate with a tenth where that is not zero: a shortfall such as
// 999.8 of 1,000 must not be rounded away.
func formatRate(v float64) string {
	tenths := int64(math.Round(v * 10))
	if tenths%10 == 0 {
		return formatCount(tenths / 10)
	}
	return fmt.Sprintf("%s.%d", formatCount(tenths/10), tenths%10)
}

func share(n, of int64) string {
	if of == 0 {
		return "0%"
	}
	p := 100 * float64(n) / float64(of)
	switch {
	case n == 0:
		return "0%"
	case p < 0.01:
		return "under 0.01%"
	default:
		return strconv.FormatFloat(p, 'f', 2, 64) + "%"
	}
}

// Shown is the measured value in the unit of the expression.
func (s SLO) Shown() string {
	v := strconv.FormatFloat(s.Measured, 'f', -1, 64)
	switch {
	case strings.HasSuffix(s.Expression, "%"):
		return v + "%"
	case strings.HasSuffix(s.Expression, "s") && !strings.HasSuffix(s.Expression, "/s"), strings.HasSuffix(s.Expression, "m"):
		return formatMS(s.Measured)
	default:
		return v
	}
}
