package problem

import "strings"

// Message is one sentence that says what is wrong, for error bodies that have
// room for no more: the detail, and the first fields at fault.
func (p *Problem) Message() string {
	text := p.Detail
	if text == "" {
		text = p.Title
	}
	if len(p.Errors) == 0 {
		return text
	}
	faults := make([]string, 0, 3)
	for _, e := range p.Errors[:min(3, len(p.Errors))] {
		faults = append(faults, strings.TrimSpace(e.Pointer+" "+e.Message))
	}
	if more := len(p.Errors) - len(faults); more > 0 {
		faults = append(faults, "and more")
	}
	return text + ": " + strings.Join(faults, "; ")
}

// Code is the title as a slug, such as "not_found", for error bodies that name
// errors by a word.
func (p *Problem) Code() string {
	return strings.ReplaceAll(strings.ToLower(p.Title), " ", "_")
}
