/* SPDX-License-Identifier: ISC */
#include "users.h"

#include <errno.h>
#include <string.h>

#include "base/message.h"
#include "base/str.h"
#include "control_files.h"
#include "mail/accounts.h"
#include "mail/control.h"

enum { NOBODY = 65534 };

/* What there is beside passwd. */
struct additions {
	/* NAME: HASH, a NUL, and the day from which on the account is closed */
	struct record_list shadow;
	struct str me; /* control/me, perhaps empty */
};

static void read_shadow(struct record_list *shadow,
			const struct settings *settings)
{
	struct colon_file file = { 0 };
	char shown[SHOWN];

	if (colon_file_read(&file, settings->shadow, ACCOUNTS_LIMIT) < 0 &&
	    errno != ENOENT)
		die_temporary(
			"unable to read %s:",
			printable_text(shown, sizeof shown, settings->shadow));
	while (colon_file_next(&file)) {
		struct str value = { 0 };

		str_append_text(&value, file.field[1]);
		str_append_byte(&value, '\0');
		str_append(&value, file.field[7], strlen(file.field[7]) + 1);
		record_list_add(shadow, file.field[0], strlen(file.field[0]),
				value.data, value.length);
		str_free(&value);
	}
	record_list_sort(shadow);
	colon_file_close(&file);
}

static void add_account(struct collection *collection,
			const struct additions *additions,
			const struct account *account)
{
	const char *hash = account->password, *expiry = "";
	struct str login = { 0 };
	struct record shadow;

	if (record_list_find(&additions->shadow, account->name,
			     strlen(account->name), &shadow)) {
		hash = shadow.value;
		expiry = hash + strlen(hash) + 1;
	}
	str_append_text(&login, account->name);
	collection_add_hash(collection, login.data, hash, expiry);
	if (*hash && additions->me.length) {
		str_append_byte(&login, '@');
		str_append_text(&login, additions->me.data);
		collection_add_hash(collection, login.data, hash, expiry);
	}
	str_free(&login);
}

void add_users(struct collection *collection)
{
	const struct settings *settings = collection->settings;
	struct additions additions = { 0 };
	struct colon_file passwd = { 0 };
	struct account account;
	char shown[SHOWN];

	if (control_read_line("me", &additions.me) == CONTROL_FAILED)
		die_of_control("me");
	read_shadow(&additions.shadow, settings);
	if (colon_file_read(&passwd, settings->passwd, ACCOUNTS_LIMIT) < 0)
		die_temporary(
			"unable to read %s:",
			printable_text(shown, sizeof shown, settings->passwd));
	while (accounts_next(&passwd, &account)) {
		bool is_users = account.user >= settings->first_user &&
				account.user != NOBODY;

		if (account.user != 0 && (is_users || settings->takes_all))
			add_account(collection, &additions, &account);
	}
	colon_file_close(&passwd);
	record_list_free(&additions.shadow);
	str_free(&additions.me);
}
