/* SPDX-License-Identifier: ISC */
#include "control_files.h"

#include <string.h>

#include "base/message.h"
#include "base/str.h"
#include "mail/control.h"

static _Noreturn void die_of_line(const char *name, const char *line)
{
	char shown[SHOWN];

	die_permanent("control/%s: wrong line for %s", name,
		      printable_text(shown, sizeof shown, line));
}

_Noreturn void die_of_control(const char *name)
{
	die_temporary("unable to read control/%s:", name);
}

/* The line is cut behind the login. */
static char *cut_login(char *line)
{
	char *end = line + strcspn(line, " \t");

	if (!*end) return end;
	*end++ = '\0';
	return end + strspn(end, " \t");
}

void read_authsettings(struct collection *collection)
{
	struct record_list *settings = &collection->login_settings;
	struct str lines = { 0 };

	if (control_read_list("authsettings", &lines) == CONTROL_FAILED)
		die_of_control("authsettings");
	for (size_t at = 0, next; at < lines.length; at = next) {
		char *line = lines.data + at, *text;

		next = at + strlen(line) + 1;
		text = cut_login(line);
		if (!login_is_fit(line) || !settings_are_fit(text))
			die_of_line("authsettings", line);
		record_list_add(settings, line, strlen(line), text,
				strlen(text));
	}
	record_list_sort(settings);
	record_list_drop_repeats(settings);
	str_free(&lines);
}

void add_authusers(struct collection *collection)
{
	struct str lines = { 0 };

	if (control_read_list("authusers", &lines) == CONTROL_FAILED)
		die_of_control("authusers");
	for (size_t at = 0, next; at < lines.length; at = next) {
		char *line = lines.data + at, *text;

		next = at + strlen(line) + 1;
		text = cut_login(line);
		if (!login_is_fit(line) || !value_is_fit(text))
			die_of_line("authusers", line);
		collection_add_value(collection, line, text);
	}
	str_free(&lines);
}
