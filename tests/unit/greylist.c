/* The greylist's keys and their way back, what its times mean, and the store in
   a folder.
   SPDX-License-Identifier: ISC */
#include "mail/greylist.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mail/greylist_tree.h"
#include "tap.h"

static void test_keys(void)
{
	static const struct {
		const char *client;
		const char *network; /* NULL: no address */
		const char *path;
		const char *path_by_address;
	} rows[] = {
		{ "1.2.3.4", "1.2.3.0/24", "001/002/003", "001/002/003/004" },
		{ "255.255.255.255", "255.255.255.0/24", "255/255/255",
		  "255/255/255/255" },
		{ "0.0.0.0", "0.0.0.0/24", "000/000/000", "000/000/000/000" },
		{ "12.3.45.100", "12.3.45.0/24", "012/003/045",
		  "012/003/045/100" },
		{ "::ffff:1.2.3.4", "1.2.3.0/24", "001/002/003",
		  "001/002/003/004" },
		{ "::FFFF:102:304", "1.2.3.0/24", "001/002/003",
		  "001/002/003/004" },
		{ "2001:db8:1:2::3", "2001:db8:1:2::/64", "2001/0db800010002",
		  "2001/0db800010002-0000000000000003" },
		{ "2001:DB8:1:2:AbCd::", "2001:db8:1:2::/64",
		  "2001/0db800010002", "2001/0db800010002-abcd000000000000" },
		{ "::", "::/64", "0000/000000000000",
		  "0000/000000000000-0000000000000000" },
		{ "::1", "::/64", "0000/000000000000",
		  "0000/000000000000-0000000000000001" },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		  "ffff:ffff:ffff:ffff::/64", "ffff/ffffffffffff",
		  "ffff/ffffffffffff-ffffffffffffffff" },
		{ "fe80::1%eth0", "fe80::/64", "fe80/000000000000",
		  "fe80/000000000000-0000000000000001" },
		{ "fe80::1%", "fe80::/64", "fe80/000000000000",
		  "fe80/000000000000-0000000000000001" },
		{ "fe80::1%../../../etc", "fe80::/64", "fe80/000000000000",
		  "fe80/000000000000-0000000000000001" },
		{ "", NULL, NULL, NULL },
		{ "%", NULL, NULL, NULL },
		{ "1.2.3.4%eth0", NULL, NULL, NULL },
		{ "1.2.3", NULL, NULL, NULL },
		{ "1.2.3.4.5", NULL, NULL, NULL },
		{ "1.2.3.4/24", NULL, NULL, NULL },
		{ "1.2.3.256", NULL, NULL, NULL },
		{ "01.2.3.4", NULL, NULL, NULL },
		{ " 1.2.3.4", NULL, NULL, NULL },
		{ "1.2.3.4\n", NULL, NULL, NULL },
		{ "2001:db8::g", NULL, NULL, NULL },
		{ "../../../etc/passwd", NULL, NULL, NULL },
		{ "unknown", NULL, NULL, NULL },
		{ "1111:1111:1111:1111:1111:1111:1111:1111:1111:1111", NULL,
		  NULL, NULL },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct greylist_key key, back;
		char network[NET_NETWORK_TEXT], path[GREYLIST_PATH];

		if (!rows[i].network) {
			is_number(greylist_key_of_client(rows[i].client,
							 GREYLIST_BY_NETWORK,
							 &key),
				  -1, rows[i].client);
			continue;
		}
		is_number(greylist_key_of_client(rows[i].client,
						 GREYLIST_BY_NETWORK, &key),
			  0, rows[i].client);
		is_text(net_ip_format_network(&key.network, key.bits, network),
			rows[i].network, "its network");
		is_text(greylist_key_path(&key, path), rows[i].path,
			"its entry");
		is_number(greylist_key_of_path(path, &back), 0, "which is one");
		ok(net_ip_equal(&back.network, &key.network) &&
			   back.bits == key.bits,
		   "and stands for the same network");
		greylist_key_of_client(rows[i].client, GREYLIST_BY_ADDRESS,
				       &key);
		is_text(greylist_key_path(&key, path), rows[i].path_by_address,
			"its entry by address");
		is_number(greylist_key_of_path(path, &back), 0, "which is one");
		ok(net_ip_equal(&back.network, &key.network) &&
			   back.bits == key.bits,
		   "and stands for the same address");
	}
}

static void test_strange_paths(void)
{
	static const char *const paths[] = {
		"",
		"/",
		"001",
		"001/002",
		"001/002/",
		"001/002/003/",
		"/001/002/003",
		"001//002/003",
		"001/002/003/004/",
		"001/002/003/004/005",
		"1/2/3",
		"001/002/3",
		"001/002/0003",
		"001/002/256",
		"001/002/999",
		"001/002/00a",
		"001/002/00:",
		"001/002/0-3",
		"001/002-003",
		"001-002-003",
		"001002003",
		"001/002/003.tmp",
		"001/002/ 03",
		"001/002/\xff\xff\xff",
		"2001",
		"2001/",
		"2001/0db80001000",
		"2001/0db8000100020",
		"2001/0DB800010002",
		"2001/0db80001000g",
		"2001/0db800010002-",
		"2001/0db800010002-000000000000000",
		"2001/0db800010002-00000000000000030",
		"2001/0db800010002/0000000000000003",
		"2001/0db800010002-000000000000000 ",
		"2001-0db800010002",
		"2001/0db8/0001/0002",
		"200g/0db800010002",
		"0001/002/003",
		"001/0db800010002",
		"2001/002/003",
		"lost+found",
		"....",
		"../../../etc/passwd",
	};

	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		struct greylist_key key;
		char name[80];

		snprintf(name, sizeof name, "\"%s\" is no entry's name",
			 paths[i]);
		for (char *at = name; *at; at++)
			if ((unsigned char)*at > 126) *at = '?';
		is_number(greylist_key_of_path(paths[i], &key), -1, name);
	}
}

static void test_states(void)
{
	static const struct {
		time_t first;
		unsigned long hold;
		time_t now;
		enum greylist_state wanted;
		const char *name;
	} rows[] = {
		{ 1000, 120, 1000, GREYLIST_TOO_SOON, "at once" },
		{ 1000, 120, 1119, GREYLIST_TOO_SOON, "a second too soon" },
		{ 1000, 120, 1120, GREYLIST_KNOWN, "the hold time is over" },
		{ 1000, 120, 2000000, GREYLIST_KNOWN, "long over" },
		{ 1000, 0, 1000, GREYLIST_KNOWN, "no hold time" },
		{ 1000, 0, 999, GREYLIST_KNOWN, "the same, clock behind" },
		{ 1000, 120, 10, GREYLIST_TOO_SOON, "first in the future" },
		{ 1000, ULONG_MAX, 2000000000, GREYLIST_TOO_SOON,
		  "an endless hold time" },
		{ 0, 120, 2000000000, GREYLIST_KNOWN, "first in 1970" },
		{ -5, 120, 2000000000, GREYLIST_KNOWN, "or before" },
	};
	struct greylist_entry entry = { 1000, 1119 };

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		is_number(greylist_state(rows[i].first, rows[i].hold,
					 rows[i].now),
			  rows[i].wanted, rows[i].name);
	ok(!greylist_has_passed(&entry, 120), "came too soon only");
	entry.last = 1120;
	ok(greylist_has_passed(&entry, 120), "came back");
}

static void test_settings(void)
{
	static const struct {
		const char *text;
		long wanted;
	} rows[] = {
		{ NULL, 7 },
		{ "", 7 },
		{ "0", 0 },
		{ "12", 12 },
		{ "12abc", 12 },
		{ "abc", 0 },
		{ " 5", 5 },
		{ "-3", -3 },
		{ "+3", 3 },
		{ "0x10", 0 },
		{ "99999999999999999999", LONG_MAX },
	};
	struct greylist_settings settings;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		unsetenv("NUMBER");
		if (rows[i].text) setenv("NUMBER", rows[i].text, 1);
		is_number(greylist_number("NUMBER", 7), rows[i].wanted,
			  rows[i].text ? rows[i].text : "unset");
	}
	unsetenv("JGREYLIST_DIR");
	unsetenv("JGREYLIST_BY_IP");
	unsetenv("JGREYLIST_HOLDTIME");
	settings = greylist_settings_from_environment();
	ok(!settings.folder && settings.unit == GREYLIST_BY_NETWORK &&
		   settings.hold_seconds == 120,
	   "what is not set");
	setenv("JGREYLIST_DIR", "", 1);
	setenv("JGREYLIST_BY_IP", "1", 1);
	setenv("JGREYLIST_HOLDTIME", "-5", 1);
	settings = greylist_settings_from_environment();
	ok(!settings.folder && settings.unit == GREYLIST_BY_ADDRESS &&
		   settings.hold_seconds == 0,
	   "what is set to nothing, and less");
	setenv("JGREYLIST_DIR", "/x", 1);
	settings = greylist_settings_from_environment();
	is_text(settings.folder, "/x", "a folder");
	unsetenv("JGREYLIST_DIR");
	unsetenv("JGREYLIST_BY_IP");
	unsetenv("JGREYLIST_HOLDTIME");
}

static void is_entry(const char *store, const char *name, time_t first,
		     time_t last, const char *what)
{
	char path[200];
	struct stat file = { 0 };

	snprintf(path, sizeof path, "%s/%s", store, name);
	if (!ok(lstat(path, &file) == 0 && S_ISREG(file.st_mode), what)) return;
	is_number(file.st_mtime, first, "the time of its first contact");
	is_number(file.st_atime, last, "and of its last one");
}

/* The lazy atime: a contact is noted when the note says more than a minute, or
   that the client has passed. */
static void test_notes(const char *store)
{
	static const struct {
		time_t last;
		time_t now;
		time_t wanted;
		const char *name;
	} rows[] = {
		{ 1000, 1060, 1000, "too soon, a minute old" },
		{ 1000, 1061, 1061, "too soon, older" },
		{ 1100, 1119, 1100, "too soon, seconds old" },
		{ 1119, 1120, 1120, "the first time it passes" },
		{ 1120, 1180, 1120, "known, a minute old" },
		{ 1120, 1181, 1181, "known, older" },
		{ 5000, 1500, 1500, "last in the future" },
	};
	struct greylist_contact contact = { .hold_seconds = 120 };

	greylist_key_of_client("192.0.2.1", GREYLIST_BY_NETWORK, &contact.key);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct greylist_entry entry = { 1000, rows[i].last };
		struct greylist_entry seen;
		const char *cause = "";

		contact.now = rows[i].now;
		greylist_tree_set(store, &contact.key, &entry);
		greylist_tree_look(store, &contact, &seen, &cause);
		is_entry(store, "192/000/002", 1000, rows[i].last,
			 "looking writes nothing");
		ok(seen.first == 1000 && seen.last == rows[i].last && !cause,
		   "and gives both times");
		is_number(greylist_tree_contact(store, &contact, &cause),
			  rows[i].now < 1120 ? GREYLIST_TOO_SOON
					     : GREYLIST_KNOWN,
			  rows[i].name);
		ok(!cause, "no trouble");
		is_entry(store, "192/000/002", 1000, rows[i].wanted, "noted");
	}
}

static void test_tree(const char *store)
{
	struct greylist_contact contact = { .hold_seconds = 120,
					    .now = time(NULL) };
	const struct greylist_entry entry = { 5, 6 };
	struct greylist_entry seen;
	const char *cause = "";
	char path[200];

	greylist_key_of_client("2001:db8::1", GREYLIST_BY_NETWORK,
			       &contact.key);
	is_number(greylist_tree_look(store, &contact, &seen, &cause),
		  GREYLIST_FIRST, "looking at nothing");
	is_number(greylist_tree_contact(store, &contact, &cause),
		  GREYLIST_FIRST, "is not a first contact");
	contact.now++;
	is_number(greylist_tree_contact(store, &contact, &cause),
		  GREYLIST_TOO_SOON, "this is the second");
	is_number(greylist_tree_forget(store, &contact.key), 0, "forgotten");
	ok(greylist_tree_forget(store, &contact.key) == -1 && errno == ENOENT,
	   "once");
	is_number(greylist_tree_set(store, &contact.key, &entry), 0, "set");
	is_entry(store, "2001/0db800000000", 5, 6, "is an entry");

	snprintf(path, sizeof path, "%s/001", store);
	ok(symlink("/tmp", path) == 0, "a symbolic link in the tree");
	greylist_key_of_client("1.2.3.4", GREYLIST_BY_NETWORK, &contact.key);
	ok(greylist_tree_set(store, &contact.key, &entry) == -1 &&
		   errno == ENOTDIR,
	   "is not followed by who may be root");
	ok(greylist_tree_forget(store, &contact.key) == -1 && errno == ENOTDIR,
	   "nor when forgetting");
	unlink(path);
	ok(greylist_tree_set("/dev/null/x", &contact.key, &entry) == -1,
	   "no store");
}

static void test_other_unit(const char *store)
{
	struct greylist_contact contact = { .hold_seconds = 120, .now = 2000 };
	const struct greylist_entry entry = { 5, 6 };
	const char *cause = NULL;

	greylist_key_of_client("192.0.2.1", GREYLIST_BY_ADDRESS, &contact.key);
	is_number(greylist_tree_contact(store, &contact, &cause),
		  GREYLIST_FAILED, "an address where its network is");
	is_text(cause, "not a directory", "the cause");
	greylist_key_of_client("10.1.2.3", GREYLIST_BY_ADDRESS, &contact.key);
	greylist_tree_set(store, &contact.key, &entry);
	is_number(greylist_tree_contact(store, &contact, &cause),
		  GREYLIST_KNOWN, "an address");
	greylist_key_of_client("10.1.2.3", GREYLIST_BY_NETWORK, &contact.key);
	is_number(greylist_tree_contact(store, &contact, &cause),
		  GREYLIST_FAILED, "a network where its addresses are");
	is_text(cause, "is a directory", "the cause");
}

static void test_complaints(const char *store)
{
	char path[200];
	int fd;

	is_text(greylist_tree_complaint(store), NULL, "a good folder");
	is_text(greylist_tree_complaint("/dev/null"), "is not a directory",
		"a file");
	is_text(greylist_tree_complaint("/dev/null/x"), "is not a directory",
		"something in a file");
	snprintf(path, sizeof path, "%s/absent", store);
	is_text(greylist_tree_complaint(path), "does not exist", "nothing");
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0) close(fd);
	is_text(greylist_tree_complaint(path), "is not a directory", "a file");
}

int main(void)
{
	char store[] = "/tmp/greylist.XXXXXX", command[80];

	test_keys();
	test_strange_paths();
	test_states();
	test_settings();
	if (!mkdtemp(store)) return 111;
	test_tree(store);
	test_notes(store);
	test_other_unit(store);
	test_complaints(store);
	snprintf(command, sizeof command, "rm -rf %s", store);
	ok(system(command) == 0, "cleaned up");
	return done_testing();
}
