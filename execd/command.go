package main

import (
	"slices"
	"strings"
)

// simpleCommand is one program with its arguments, and the variables that the script sets for it.
type simpleCommand struct{ words, variables []string }

// Words that are commands of the shell itself, not programs.
var builtins = strings.Fields(`. : ! { } [[ alias bg break case cd command continue do done elif else esac eval exec exit
	export fg fi for function getopts hash if jobs local read readonly return select set shift shopt source then time times
	trap type ulimit umask unalias unset until wait while`)

const (
	blanks = " \t"
	// Characters that make a shell do more than start a program: operators, patterns, other programs.
	special = "\n;&|<>()`*?["
	allArgs = `"$@"`
)

// parseCommand returns the command that a shell would run for script, with arguments for "$@". ok is
// false if the script is more than one simple command, or has expansions other than of variables.
//
// Unlike a shell, it does not take `*` in the value of a variable for a pattern of file names.
//
// https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_09_01
func parseCommand(script string, arguments []string, user lookup) (found simpleCommand, ok bool) {
	rest, replaces := strings.TrimSpace(script), false
	for rest = strings.TrimLeft(rest, blanks); rest != ""; rest = strings.TrimLeft(rest, blanks) {
		if after, is := strings.CutPrefix(rest, allArgs); is && (after == "" || strings.ContainsAny(after[:1], blanks)) {
			found.words, rest = append(found.words, arguments...), after
			continue
		}
		next := wordReader{text: rest, user: user, canAssign: len(found.words) == 0 && !replaces}
		if !next.read() {
			return found, false
		}
		rest = next.text
		switch {
		case next.assigns:
			found.variables = append(found.variables, next.fields...)
		case !replaces && len(found.words) == 0 && len(next.fields) == 1 && next.fields[0] == "exec":
			replaces = true
		default:
			found.words = append(found.words, next.fields...)
		}
	}
	return found, len(found.words) > 0 && !slices.Contains(builtins, found.words[0])
}

// wordReader reads one word of a script. An unquoted variable may make it several fields, or none.
type wordReader struct {
	text      string
	user      lookup
	canAssign bool

	assigns bool
	fields  []string
	current strings.Builder
	// The current field exists even if it is empty, since it has quotes.
	isOpen bool
	// Everything so far is neither quoted nor expanded.
	hasMore bool
}

// read moves text behind the word; it returns whether the word needs no shell.
func (word *wordReader) read() bool {
	if strings.ContainsAny(word.text[:1], "#~") {
		return false
	}
	for word.text != "" && !strings.ContainsAny(word.text[:1], blanks) {
		if !word.readPart() {
			return false
		}
	}
	word.endField()
	return true
}

func (word *wordReader) readPart() bool {
	first := word.text[0]
	switch {
	case strings.IndexByte(special, first) >= 0:
		return false
	case first == '\'':
		quoted, after, closed := strings.Cut(word.text[1:], "'")
		word.text = after
		word.add(quoted)
		return closed
	case first == '"':
		value, after, ok := doubleQuoted(word.text[1:], word.user)
		word.text = after
		word.add(value)
		return ok
	case first == '\\':
		return word.readEscaped()
	case first == '$':
		value, after, ok := expanded(word.text, word.user)
		word.text = after
		if word.assigns {
			word.add(value)
		} else {
			word.split(value)
		}
		return ok
	case first == '=' && word.canAssign && !word.assigns && !word.hasMore && isName(word.current.String()):
		word.assigns = true
	}
	word.text = word.text[1:]
	word.current.WriteByte(first)
	word.isOpen = true
	return true
}

func (word *wordReader) readEscaped() bool {
	if len(word.text) < 2 || word.text[1] == '\n' {
		return false
	}
	value := word.text[1:2]
	word.text = word.text[2:]
	word.add(value)
	return true
}

// add appends a value that stays in one field.
func (word *wordReader) add(value string) {
	word.current.WriteString(value)
	word.isOpen, word.hasMore = true, true
}

// split appends the value of an unquoted variable, in which blanks end a field.
func (word *wordReader) split(value string) {
	word.hasMore = true
	for _, letter := range []byte(value) {
		if strings.IndexByte(" \t\n", letter) >= 0 {
			word.endField()
			continue
		}
		word.current.WriteByte(letter)
		word.isOpen = true
	}
}

func (word *wordReader) endField() {
	if word.isOpen {
		word.fields = append(word.fields, word.current.String())
	}
	word.current.Reset()
	word.isOpen = false
}

// doubleQuoted returns the value of the text before the next quotation mark, and what follows that.
func doubleQuoted(text string, user lookup) (value, after string, ok bool) {
	var found strings.Builder
	for text != "" {
		switch text[0] {
		case '"':
			return found.String(), text[1:], true
		case '`':
			return "", "", false
		case '\\':
			if len(text) < 2 || text[1] == '\n' {
				return "", "", false
			}
			if strings.IndexByte("$`\"\\", text[1]) < 0 {
				found.WriteByte('\\')
			}
			found.WriteByte(text[1])
			text = text[2:]
		case '$':
			value, after, ok := expanded(text, user)
			if !ok {
				return "", "", false
			}
			found.WriteString(value)
			text = after
		default:
			found.WriteByte(text[0])
			text = text[1:]
		}
	}
	return "", "", false
}

// expanded returns the value of the variable at the start of text, and what follows it. ok is false for
// what is not `$NAME`, `${NAME}`, `${NAME-default}` or `${NAME:-default}`.
func expanded(text string, user lookup) (value, after string, ok bool) {
	inside, hasBraces := strings.CutPrefix(text[1:], "{")
	name := inside[:nameLength(inside)]
	if name == "" {
		return "", "", false
	}
	value, isSet := user(name)
	inside = inside[len(name):]
	if !hasBraces {
		return value, inside, true
	}
	if after, is := strings.CutPrefix(inside, "}"); is {
		return value, after, true
	}
	inside, takesEmpty := strings.CutPrefix(inside, ":")
	inside, is := strings.CutPrefix(inside, "-")
	if !is {
		return "", "", false
	}
	alternative, after, ok := defaultValue(inside, user)
	if isSet && (value != "" || !takesEmpty) {
		return value, after, ok
	}
	return alternative, after, ok
}

// defaultValue returns the value of the text before the next brace, and what follows that.
func defaultValue(text string, user lookup) (value, after string, ok bool) {
	var found strings.Builder
	for text != "" {
		switch {
		case text[0] == '}':
			return found.String(), text[1:], true
		case strings.IndexByte("'\"\\`", text[0]) >= 0:
			return "", "", false
		case text[0] == '$':
			value, after, ok := expanded(text, user)
			if !ok {
				return "", "", false
			}
			found.WriteString(value)
			text = after
		default:
			found.WriteByte(text[0])
			text = text[1:]
		}
	}
	return "", "", false
}

// nameLength returns how many bytes at the start of text are the name of a variable.
func nameLength(text string) int {
	for at, letter := range []byte(text) {
		isLetter := letter == '_' || letter|0x20 >= 'a' && letter|0x20 <= 'z'
		if !isLetter && (at == 0 || letter < '0' || letter > '9') {
			return at
		}
	}
	return len(text)
}

func isName(text string) bool { return text != "" && nameLength(text) == len(text) }
