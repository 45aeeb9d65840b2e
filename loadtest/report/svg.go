package report

import (
	"fmt"
	"html/template"
	"math"
	"strings"
)

// The charts are drawn in a fixed coordinate system that the page scales.
const (
	chartWidth  = 960
	left        = 64
	right       = 76
	top         = 14
	bottom      = 30
	plotWidth   = chartWidth - left - right
	tallHeight  = 260
	shortHeight = 130
)

// canvas draws one chart. Everything on it comes from numbers, so nothing needs
// escaping; colours are classes, so that the page can follow the reader's theme.
type canvas struct {
	b      strings.Builder
	height int
	yMax   float64
}

func newCanvas(height int, yMax float64, label string) *canvas {
	c := &canvas{height: height, yMax: yMax}
	c.printf(`<svg viewBox="0 0 %d %d" role="img" aria-label="%s">`, chartWidth, height, template.HTMLEscapeString(label))
	return c
}

func (c *canvas) printf(format string, args ...any) { fmt.Fprintf(&c.b, format, args...) }

func (c *canvas) done() template.HTML {
	c.b.WriteString("</svg>")
	return template.HTML(c.b.String()) //nolint:gosec // numbers and constants only
}

// y is the vertical position of a value.
func (c *canvas) y(v float64) float64 {
	return float64(c.height-bottom) - v/c.yMax*float64(c.height-bottom-top)
}

func (c *canvas) text(x, y float64, class, s string) {
	c.printf(`<text x="%.1f" y="%.1f" class="%s">%s</text>`, x, y, class, template.HTMLEscapeString(s))
}

// grid draws horizontal lines with labels at round values.
func (c *canvas) grid(label func(float64) string) {
	step := niceStep(c.yMax / 4)
	for v := 0.0; v <= c.yMax*1.001; v += step {
		y := c.y(v)
		class := "grid"
		if v == 0 {
			class = "axis"
		}
		c.printf(`<line x1="%d" x2="%d" y1="%.1f" y2="%.1f" class="%s"/>`, left, chartWidth-right, y, y, class)
		c.text(left-8, y+4, "end", label(v))
	}
}

type point struct{ x, y float64 }

// line draws a curve with its name at its end; a single point is a dot.
func (c *canvas) line(points []point, class, name string, labelY float64) {
	if len(points) == 0 {
		return
	}
	var path strings.Builder
	for i, p := range points {
		letter := "L"
		if i == 0 {
			letter = "M"
		}
		fmt.Fprintf(&path, "%s%.1f %.1f", letter, p.x, p.y)
	}
	last := points[len(points)-1]
	c.printf(`<path d="%s" class="line %s"/>`, path.String(), class)
	c.printf(`<circle cx="%.1f" cy="%.1f" r="3" class="dot %s"/>`, last.x, last.y, class)
	c.text(last.x+9, labelY+4, "name "+class, name)
}

// niceStep rounds up to 1, 2 or 5 times a power of ten.
func niceStep(v float64) float64 {
	if v <= 0 || math.IsNaN(v) || math.IsInf(v, 0) {
		return 1
	}
	scale := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{1, 2, 5} {
		if m*scale >= v*0.999 {
			return m * scale
		}
	}
	return 10 * scale
}

// niceMax is the top of an axis that holds v.
func niceMax(v float64) float64 {
	if v <= 0 {
		return 1
	}
	step := niceStep(v / 4)
	return step * math.Ceil(v/step*0.9999)
}

// timeAxis returns the horizontal position of a second, and draws the labels.
func (c *canvas) timeAxis(timeline []Interval) func(float64) float64 {
	width := 1.0
	if len(timeline) > 1 {
		width = timeline[1].Second - timeline[0].Second
	}
	length := timeline[len(timeline)-1].Second + width
	x := func(s float64) float64 { return left + s/length*plotWidth }
	step := math.Max(niceStep(length/8), 1)
	for s := 0.0; s <= length*1.001; s += step {
		c.text(x(s), float64(c.height-10), "middle", fmt.Sprintf("%g s", s))
	}
	return func(s float64) float64 { return x(s + width/2) }
}

// latencyChart draws p50 and p99 per interval.
func latencyChart(timeline []Interval) template.HTML {
	if len(timeline) == 0 {
		return ""
	}
	high := 0.0
	for _, iv := range timeline {
		high = max(high, iv.P99)
	}
	c := newCanvas(tallHeight, niceMax(high), "Response time over time: p50 and p99 per second")
	c.grid(axisMS)
	x := c.timeAxis(timeline)
	var p50, p99 []point
	for _, iv := range timeline {
		if iv.Rate > 0 {
			p50 = append(p50, point{x(iv.Second), c.y(iv.P50)})
			p99 = append(p99, point{x(iv.Second), c.y(iv.P99)})
		}
	}
	if len(p50) == 0 {
		return ""
	}
	at50, at99 := p50[len(p50)-1].y, p99[len(p99)-1].y
	if at50-at99 < 16 { // keep the names apart
		mid := (at50 + at99) / 2
		at50, at99 = mid+8, mid-8
	}
	c.line(p99, "p99", "p99", at99)
	c.line(p50, "p50", "p50", at50)
	for _, iv := range timeline {
		c.printf(`<rect x="%.1f" y="%d" width="%.1f" height="%d" class="hover"><title>%g s: p50 %s, p99 %s</title></rect>`,
			x(iv.Second)-plotWidth/float64(2*len(timeline)), top, plotWidth/float64(len(timeline)), tallHeight-top-bottom,
			iv.Second, formatMS(iv.P50), formatMS(iv.P99))
	}
	return c.done()
}

// rateChart draws requests and errors per second as bars under the offered rate.
func rateChart(timeline []Interval, offered float64) template.HTML {
	if len(timeline) == 0 {
		return ""
	}
	high := offered
	for _, iv := range timeline {
		high = max(high, iv.Rate)
	}
	c := newCanvas(shortHeight, niceMax(high*1.02), "Requests due per second over time")
	c.grid(formatRate)
	x := c.timeAxis(timeline)
	slot := plotWidth / float64(len(timeline))
	width := min(max(slot-2, slot*0.8), 28)
	for _, iv := range timeline {
		y := c.y(iv.Rate)
		c.printf(`<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="1.5" class="bar"><title>%g s: %s requests due per second, %d errors</title></rect>`,
			x(iv.Second)-width/2, y, width, max(0, c.y(0)-y), iv.Second, formatRate(iv.Rate), iv.Errors)
		if iv.Errors > 0 && iv.Rate > 0 {
			h := max(2, c.y(0)-c.y(min(float64(iv.Errors), iv.Rate)))
			c.printf(`<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" class="bad"/>`, x(iv.Second)-width/2, c.y(0)-h, width, h)
		}
	}
	y := c.y(offered)
	c.printf(`<line x1="%d" x2="%d" y1="%.1f" y2="%.1f" class="offered"/>`, left, chartWidth-right, y, y)
	c.text(chartWidth-right+9, y+4, "name", "offered")
	return c.done()
}

// percentileChart draws the distribution with an axis that gives every further
// nine the same room.
func percentileChart(curve []CurvePoint) template.HTML {
	if len(curve) < 2 {
		return ""
	}
	worst := curve[len(curve)-1].MS
	c := newCanvas(tallHeight, niceMax(worst), "Response time by percentile")
	c.grid(axisMS)
	nines := 1.0
	for _, p := range curve {
		if p.Percentile < 100 {
			nines = max(nines, -math.Log10(1-p.Percentile/100))
		}
	}
	nines += 0.3 // room for the slowest, which has no percentile of its own
	x := func(p float64) float64 {
		if p >= 100 {
			return left + plotWidth
		}
		return left - math.Log10(1-p/100)/nines*plotWidth
	}
	for _, p := range []float64{0, 50, 90, 99, 99.9, 99.99, 99.999, 99.9999} {
		if at := x(p); at < left+plotWidth-20 {
			c.printf(`<line x1="%.1f" x2="%.1f" y1="%d" y2="%d" class="grid"/>`, at, at, top, tallHeight-bottom)
			c.text(at, tallHeight-10, "middle", fmt.Sprintf("%g%%", p))
		}
	}
	c.text(left+plotWidth, tallHeight-10, "middle", "max")
	points := make([]point, len(curve))
	for i, p := range curve {
		points[i] = point{x(p.Percentile), c.y(p.MS)}
	}
	c.line(points, "p99", formatMS(worst), points[len(points)-1].y)
	for i, p := range curve {
		c.printf(`<circle cx="%.1f" cy="%.1f" r="7" class="hover"><title>p%g: %s</title></circle>`, points[i].x, points[i].y, p.Percentile, formatMS(p.MS))
	}
	return c.done()
}

// axisMS labels an axis: without a needless fraction.
func axisMS(v float64) string {
	if v >= 1000 {
		return fmt.Sprintf("%g s", math.Round(v)/1000)
	}
	return fmt.Sprintf("%g ms", math.Round(v*1000)/1000)
}
