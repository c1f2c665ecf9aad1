package devices

import "strings"

// matches says whether an MQTT topic filter selects a topic. A wildcard in the
// first level does not select topics that begin with "$".
func matches(filter, topic string) bool {
	if strings.HasPrefix(topic, "$") && !strings.HasPrefix(filter, "$") {
		return false
	}
	return meet(strings.Split(filter, "/"), strings.Split(topic, "/"))
}

// overlap says whether some topic is selected by both filters.
func overlap(a, b string) bool {
	if strings.HasPrefix(a, "$") != strings.HasPrefix(b, "$") {
		return false
	}
	return meet(strings.Split(a, "/"), strings.Split(b, "/"))
}

// meet compares two filters level by level. A "#" also stands for the level
// above it.
func meet(a, b []string) bool {
	for i := 0; ; i++ {
		switch {
		case at(a, i) == "#" || at(b, i) == "#":
			return true
		case i >= len(a) || i >= len(b):
			return len(a) == len(b)
		case a[i] != b[i] && a[i] != "+" && b[i] != "+":
			return false
		}
	}
}

func at(levels []string, i int) string {
	if i < len(levels) {
		return levels[i]
	}
	return ""
}

// anyOf says whether f holds between one of the filters and s.
func anyOf(f func(string, string) bool, filters []string, s string) bool {
	for _, own := range filters {
		if f(own, s) {
			return true
		}
	}
	return false
}
