/* SPDX-License-Identifier: ISC */
#include "mail/accounts.h"

#include <ctype.h>
#include <grp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "base/str.h"
#include "system/process.h"

static bool parse_id(const char *text, unsigned *id)
{
	unsigned long number;

	/* The highest one stands for none. */
	if (parse_number(text, 0, UINT32_MAX - 1, &number) < 0) return false;
	*id = (unsigned)number;
	return true;
}

bool accounts_next(struct colon_file *passwd, struct account *account)
{
	char **field = passwd->field;

	while (colon_file_next(passwd)) {
		*account = (struct account){ .name = field[0],
					     .password = field[1],
					     .home = field[5] };
		/* + and - begin lines that are meant for NIS. */
		if (passwd->fields >= 6 && *account->name &&
		    !strchr("+-", *account->name) &&
		    parse_id(field[2], &account->user) &&
		    parse_id(field[3], &account->group))
			return true;
	}
	return false;
}

static bool find_group_of(const char *passwd_path, const char *name,
			  gid_t *group)
{
	struct colon_file passwd = { 0 };
	struct account account = { 0 };
	bool found = false;

	if (colon_file_read(&passwd, passwd_path, ACCOUNTS_LIMIT) == 0)
		while (!found && accounts_next(&passwd, &account))
			found = strcmp(account.name, name) == 0;
	if (found) *group = account.group;
	colon_file_close(&passwd);
	return found;
}

int accounts_find_readers(const char *passwd_path, const char *group,
			  struct replacement_rights *rights)
{
	const struct group *named;

	if (!group) {
		rights->has_group =
			find_group_of(passwd_path, "qmaild", &rights->group);
		return 0;
	}
	rights->has_group = rights->group_is_wanted = true;
	if (parse_id(group, &rights->group)) return 0;
	named = getgrnam(group);
	if (!named) return -1;
	rights->group = named->gr_gid;
	return 0;
}

const char *accounts_choose_home(const char *home)
{
	const char *controls = getenv("CONTROLDIR");
	struct str path = { 0 };

	if (!home) home = getenv("VQ");
	if (!home || !*home) return CHAINMAIL_HOME;
	if (controls && *controls) return home;
	str_append_text(&path, home);
	str_append_text(&path, "/control");
	process_set("CONTROLDIR", path.data);
	str_free(&path);
	return home;
}

bool accounts_next_assignment(struct colon_file *assign,
			      struct assignment *assignment)
{
	char **field = assign->field;

	while (colon_file_next(assign) && *field[0] != '.') {
		*assignment = (struct assignment){
			.local = field[0] + (*field[0] != '\0'),
			.account = field[1],
			.home = field[4],
			.dash = field[5],
			.extension = field[6],
			.is_beginning = *field[0] == '+',
		};
		for (char *c = field[0]; *c; c++)
			*c = (char)tolower((unsigned char)*c);
		if ((*field[0] == '=' || *field[0] == '+') &&
		    assign->fields >= 7 &&
		    parse_id(field[2], &assignment->user) &&
		    parse_id(field[3], &assignment->group))
			return true;
	}
	return false;
}
