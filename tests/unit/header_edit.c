/* Changes of a header: each case is a list of changes and the message that comes
   out, put together as stage_message_replace_top does it.
   SPDX-License-Identifier: ISC */
#include "mail/header_edit.h"

#include <stdlib.h>
#include <string.h>

#include "tap.h"

struct change {
	char kind; /* - remove, + add, = replace */
	long number;
	const char *name, *value;
};

static const struct {
	const char *name, *before, *after;
	struct change changes[4];
} cases[] = {
	{ "on top",
	  "A: 1\nB: 2\n\nbody\n",
	  "X: y\nA: 1\nB: 2\n\nbody\n",
	  { { '+', HEADER_TOP, "X", "y" } } },
	{ "at the end",
	  "A: 1\nB: 2\n b\n\nX: body\n",
	  "A: 1\nB: 2\n b\nX: y\n\nX: body\n",
	  { { '+', HEADER_END, "X", "y" } } },
	{ "below the first, with its fold",
	  "A: 1\n\tmore\nB: 2\n\n",
	  "A: 1\n\tmore\nX: y\nB: 2\n\n",
	  { { '+', 1, "X", "y" } } },
	{ "below more than there are",
	  "A: 1\nB: 2\n\n",
	  "A: 1\nB: 2\nX: y\n\n",
	  { { '+', 9, "X", "y" } } },
	{ "last but one",
	  "A: 1\nB: 2\n\n",
	  "A: 1\nX: y\nB: 2\n\n",
	  { { '+', -2, "X", "y" } } },
	{ "further from the end than there are",
	  "A: 1\nB: 2\n\n",
	  "X: y\nA: 1\nB: 2\n\n",
	  { { '+', -9, "X", "y" } } },
	{ "in the order of the list",
	  "A: 1\n\n",
	  "Z: 3\nX: 1\nA: 1\nY: 2\n\n",
	  { { '+', 0, "X", "1" },
	    { '+', -1, "Y", "2" },
	    { '+', 0, "Z", "3" } } },
	{ "all of a name, in any case, with folds",
	  "x: 1\n 2\nA: 1\nX : 3\nXY: 4\nX: 5\n\nX: body\n",
	  "A: 1\nXY: 4\n\nX: body\n",
	  { { '-', HEADER_ALL, "X", NULL } } },
	{ "the second",
	  "X: 1\nA: 1\nX: 2\nX: 3\n\n",
	  "X: 1\nA: 1\nX: 3\n\n",
	  { { '-', 2, "X", NULL } } },
	{ "the last",
	  "X: 1\nX: 2\nA: 1\n\n",
	  "X: 1\nA: 1\n\n",
	  { { '-', -1, "X", NULL } } },
	{ "the last but one",
	  "X: 1\nX: 2\nX: 3\nA: 1\n\n",
	  "X: 1\nX: 3\nA: 1\n\n",
	  { { '-', -2, "X", NULL } } },
	{ "more than there are",
	  "X: 1\nX: 2\n\n",
	  "X: 1\nX: 2\n\n",
	  { { '-', 3, "X", NULL }, { '-', -3, "X", NULL } } },
	{ "names that begin so",
	  "X-Spam: 1\nX-Spam-Flag: 2\n 3\nX-Spa: 4\nx-spam-: 5\n\n",
	  "X-Spam: 1\nX-Spa: 4\n\n",
	  { { '-', HEADER_ALL, "X-Spam-*", NULL } } },
	{ "in place of the first, the others go",
	  "A: 1\nX: 1\n 2\nB: 2\nX: 3\nC: 3\n\n",
	  "A: 1\nX: y\nB: 2\nC: 3\n\n",
	  { { '=', 0, "X", "y" } } },
	{ "in place of none",
	  "A: 1\n\n",
	  "A: 1\nX: y\n\n",
	  { { '=', 0, "X", "y" } } },
	{ "what was added can be removed",
	  "A: 1\n\nb",
	  "A: 1\n\nb",
	  { { '+', 0, "X", "y" }, { '-', 0, "X", NULL } } },
	{ "a header of no fields",
	  "\nbody\n",
	  "X: y\n\nbody\n",
	  { { '+', HEADER_END, "X", "y" } } },
	{ "no header",
	  "hello\nX: no\n\nbody\n",
	  "X: y\n\nhello\nX: no\n\nbody\n",
	  { { '+', HEADER_END, "X", "y" } } },
	{ "no header: what may be one for others is none then",
	  "hello\nX: no\n\nbody\n",
	  "\nhello\nX: no\n\nbody\n",
	  { { '-', HEADER_ALL, "X", NULL } } },
	{ "blanks on top are no field",
	  " X: no\n\n",
	  "X: y\n\n X: no\n\n",
	  { { '+', HEADER_TOP, "X", "y" } } },
	{ "nothing at all", "", "X: y\n\n", { { '+', HEADER_TOP, "X", "y" } } },
	{ "no body",
	  "A: 1\n",
	  "A: 1\nX: y\n",
	  { { '+', HEADER_END, "X", "y" } } },
	{ "no body, and no line end",
	  "A: 1",
	  "A: 1\nX: y\nY: z\n",
	  { { '+', HEADER_END, "X", "y" }, { '+', HEADER_END, "Y", "z" } } },
	{ "removed, and no line end",
	  "A: 1\nX: 1",
	  "A: 1\n",
	  { { '-', HEADER_ALL, "X", NULL } } },
	{ "replaced, and no line end",
	  "A: 1\nX: 1",
	  "A: 1\nX: y\n",
	  { { '=', HEADER_ALL, "X", "y" } } },
	{ "a line that is no field",
	  "A: 1\nhello\nX: 1\n\n",
	  "A: 1\nY: z\nhello\n\n",
	  { { '-', HEADER_ALL, "X", NULL }, { '+', HEADER_END, "Y", "z" } } },
	{ "an mbox line on top",
	  "From me Mon Jan  1 00:00:00 2001\nA: 1\n\n",
	  "From me Mon Jan  1 00:00:00 2001\nX: y\nA: 1\n\n",
	  { { '+', HEADER_TOP, "X", "y" } } },
	{ "an mbox line, no header, and nothing to remove",
	  "From me\nhello\n",
	  "From me\n\nhello\n",
	  { { '-', HEADER_ALL, "X", NULL } } },
	{ "a field that looks like an mbox line",
	  "From : me\nA: 1\n\n",
	  "X: y\nFrom : me\nA: 1\n\n",
	  { { '+', HEADER_TOP, "X", "y" } } },
	{ "nothing but an mbox line",
	  "From me",
	  "From me\nX: y\nY: z\n\n",
	  { { '+', HEADER_TOP, "X", "y" }, { '+', HEADER_END, "Y", "z" } } },
	{ "an empty line with a CR",
	  "A: 1\r\n\r\nX: 1\r\n",
	  "A: 1\r\nX: y\n\r\nX: 1\r\n",
	  { { '-', 0, "X", NULL }, { '+', HEADER_END, "X", "y" } } },
	{ "an empty value",
	  "A: 1\n\n",
	  "X:\nA: 1\n\n",
	  { { '+', HEADER_TOP, "X", " \n " } } },
	{ "folds stay, and the blanks around go",
	  "A: 1\n\n",
	  "X: a\n  b\n\tc\nA: 1\n\n",
	  { { '+', HEADER_TOP, "X", "\r\n a\n  b\r\n\tc\n" } } },
	{ "lines that are no folds become some",
	  "\n",
	  "X: a\n\tBcc: b\n c\n\n",
	  { { '+', HEADER_TOP, "X", "a\nBcc: b\n\n\n \n c" } } },
	{ "control characters",
	  "\n",
	  "X: a?b c\td\xc3\xbc?\n\n",
	  { { '+', HEADER_TOP, "X", "a\001b\rc\td\xc3\xbc\177" } } },
	{ "no name",
	  "A: 1\n\n",
	  "A: 1\n\n",
	  { { '+', HEADER_TOP, "X y", "1" },
	    { '+', HEADER_TOP, "", "1" },
	    { '=', HEADER_TOP, "A: b\nX", "1" },
	    { '+', HEADER_TOP, "X\xc3", "1" } } },
};

static void change(struct header_edit *edit, const struct change *change)
{
	size_t length = change->value ? strlen(change->value) : 0;

	if (change->kind == '-')
		header_edit_remove(edit, change->name, change->number);
	else if (change->kind == '+')
		header_edit_add(edit, change->number, change->name,
				change->value, length);
	else header_edit_replace(edit, change->name, change->value, length);
}

/* As the stage does it. */
static struct str finish(struct header_edit *edit, const char *before,
			 size_t length)
{
	struct str after = { 0 };
	size_t cut = 0;
	bool changed = header_edit_finish(edit, &cut);

	if (changed) str_append(&after, edit->text.data, edit->text.length);
	str_append(&after, before + cut, length - cut);
	return after;
}

static struct stage_message message_of(char *bytes, size_t length)
{
	return (struct stage_message){ .bytes = bytes,
				       .size = length,
				       .fd = -1 };
}

static void try_cases(void)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct header_edit edit = { 0 };
		struct str before = { 0 }, after;
		struct stage_message message;

		str_append_text(&before, cases[i].before);
		message = message_of(before.data, before.length);
		if (header_edit_take(&edit, &message) != HEADER_EDIT_READY)
			exit(1);
		for (size_t n = 0; n < 4 && cases[i].changes[n].kind; n++)
			change(&edit, &cases[i].changes[n]);
		after = finish(&edit, before.data, before.length);
		is_text(after.data, cases[i].after, cases[i].name);
		str_free(&after);
		str_free(&before);
		str_free(&edit.text);
	}
}

/* How much is replaced: no more than was changed. */
static void try_cuts(void)
{
	static char bytes[] = "A: 1\nB: 2\nC: 3\n\nbody\n";
	struct stage_message message = message_of(bytes, sizeof bytes - 1);
	struct header_edit edit = { 0 };
	size_t cut;

	header_edit_take(&edit, &message);
	ok(!header_edit_finish(&edit, &cut), "no change");
	is_number((long long)cut, 0, "so nothing is cut");
	str_free(&edit.text);

	edit = (struct header_edit){ 0 };
	header_edit_take(&edit, &message);
	header_edit_add(&edit, HEADER_TOP, "X", "y", 1);
	ok(header_edit_finish(&edit, &cut), "a field on top");
	is_number((long long)cut, 0, "nothing is cut for it");
	is_text(edit.text.data, "X: y\nA: 1\nB: 2\nC: 3\n",
		"the text is there");
	is_number((long long)edit.text.length, 5, "and ends behind the field");
	str_free(&edit.text);

	edit = (struct header_edit){ 0 };
	header_edit_take(&edit, &message);
	header_edit_remove(&edit, "B", HEADER_ALL);
	ok(header_edit_finish(&edit, &cut), "a field in the middle");
	is_number((long long)cut, 10, "is cut with what is above");
	is_number((long long)edit.text.length, 5, "which is the new top");
	str_free(&edit.text);
}

static void try_value(const char *header, const char *name, long number,
		      const char *wanted)
{
	struct header_edit edit = { 0 };
	struct str copy = { 0 };
	struct stage_message message;
	size_t length = 0;
	const char *value;

	str_append_text(&copy, header);
	message = message_of(copy.data, copy.length);
	header_edit_take(&edit, &message);
	value = header_edit_value(&edit, name, number, &length);
	if (wanted && value)
		is_bytes(value, length, wanted, strlen(wanted), "a value");
	else ok(!wanted && !value, "no value");
	str_free(&edit.text);
	str_free(&copy);
}

static size_t longest_line(const struct str *text)
{
	size_t longest = 0, length = 0;

	for (size_t i = 0; i < text->length; i++) {
		length = text->data[i] == '\n' ? 0 : length + 1;
		if (length > longest) longest = length;
	}
	return longest;
}

/* A value of words of that many letters, or of one letter and blanks. */
static void try_long(size_t word, size_t blanks)
{
	struct str value = { 0 }, after;
	struct header_edit edit = { 0 };
	struct stage_message message = message_of(NULL, 0);
	bool has_empty_fold;

	while (value.length < 5000) {
		for (size_t i = 0; i < word; i++) str_append_byte(&value, 'x');
		for (size_t i = 0; i < blanks; i++)
			str_append_byte(&value, ' ');
	}
	str_append_byte(&value, 'y');
	message.bytes = value.data; /* of length 0 */
	header_edit_take(&edit, &message);
	header_edit_add(&edit, HEADER_TOP, "X", value.data, value.length);
	after = finish(&edit, "", 0);
	ok(longest_line(&after) <= HEADER_LINE_LIMIT, "no line is too long");
	ok(memmem(after.data, after.length, "xy\n", 3) ||
		   memmem(after.data, after.length, " y\n", 3) ||
		   memmem(after.data, after.length, "\ty\n", 3),
	   "and nothing is lost at the end");
	has_empty_fold = false;
	for (const char *at = after.data; (at = strchr(at, '\n')); at++)
		if (strspn(at + 1, " \t") > 0 &&
		    at[1 + strspn(at + 1, " \t")] == '\n')
			has_empty_fold = true;
	ok(!has_empty_fold, "no line is blank");
	str_free(&after);
	str_free(&value);
	str_free(&edit.text);
}

static enum header_edit_state take_long(const char *start, size_t fields,
					bool has_body)
{
	struct header_edit edit = { 0 };
	struct str bytes = { 0 };
	struct stage_message message;
	enum header_edit_state state;

	str_append_text(&bytes, start);
	for (size_t i = 0; i < fields; i++)
		str_append_text(&bytes, "Field: value...\n");
	if (has_body) str_append_text(&bytes, "\nbody\n");
	message = message_of(bytes.data, bytes.length);
	state = header_edit_take(&edit, &message);
	str_free(&bytes);
	str_free(&edit.text);
	return state;
}

int main(void)
{
	enum { MOST = HEADER_EDIT_LIMIT / 16 };

	try_cases();
	try_cuts();
	try_value("A: 1\nX:  a\n  b \nX: c\n\nX: d\n", "x", 1, "a\n  b");
	try_value("A: 1\nX:  a\n  b \nX: c\n\nX: d\n", "x", -1, "c");
	try_value("A: 1\nX:\n\nX: d\n", "X", 1, "");
	try_value("A: 1\nX: c\n\nX: d\n", "X", 2, NULL);
	try_value("", "X", 1, NULL);
	for (size_t word = 1; word < 3000; word = word * 2 + 1)
		for (size_t blanks = 0; blanks < 3000; blanks = blanks * 3 + 1)
			try_long(word, blanks);
	is_number(take_long("", MOST, true), HEADER_EDIT_READY, "the longest");
	is_number(take_long("A:\n", MOST, true), HEADER_EDIT_TOO_LONG,
		  "one that is too long");
	is_number(take_long("A:\n", MOST, false), HEADER_EDIT_TOO_LONG,
		  "and one without an end");
	is_number(take_long("hello\n", MOST + 9, false), HEADER_EDIT_READY,
		  "a body may be long");
	return done_testing();
}
