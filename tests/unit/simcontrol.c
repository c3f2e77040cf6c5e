/* simcontrol: what a record says, and which records count for a message.
   SPDX-License-Identifier: ISC */
#include "mail/simcontrol.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "system/table_maker.h"
#include "tap.h"

/* Everything that is set, as a line. */
static const char *shown(const struct simcontrol *control)
{
	static const char *const flags[] = { "-", "no", "yes" };
	static char line[512];
	int used =
		snprintf(line, sizeof line, "%s %s %s", flags[control->clam],
			 flags[control->spam], flags[control->spam_passthru]);
	const struct str *lists[] = { &control->attach, &control->regex };

	if (control->has_spam_hits)
		used += sprintf(line + used, " hits %ld", control->spam_hits);
	if (control->has_size_limit)
		used += sprintf(line + used, " size %zu", control->size_limit);
	for (size_t i = 0; i < 2; i++)
		for (size_t at = 0; at < lists[i]->length;) {
			const char *word = lists[i]->data + at;

			used += sprintf(line + used, " %s%s",
					i ? "regex " : "attach ", word);
			at += strlen(word) + 1;
		}
	if (control->qmailqueue)
		used += sprintf(line + used, " queue %s", control->qmailqueue);
	if (control->spamuser)
		sprintf(line + used, " user %s", control->spamuser);
	return line;
}

static const struct {
	const char *value;
	const char *shown;
} values[] = {
	{ "", "- - -" },
	{ "clam=yes", "yes - -" },
	{ "clam=no,spam=yes,spam_passthru=no", "no yes no" },
	{ "CLAM=YES,Spam=No", "yes no -" },
	{ "clam=yes, spam=no", "yes no -" },
	{ "clam yes spam\tno", "yes no -" },
	{ "clam,yes,spam,no", "yes no -" },
	{ "clam = yes , spam = no\r\n", "yes no -" },
	{ "\"clam\"=\"yes\",spam='no'", "yes no -" },
	{ "clam=yes,clam=no", "no - -" },
	{ "clam=maybe,spam=yes", "- yes -" },
	{ "clam=yes,clam=maybe", "yes - -" },
	{ "clam=,spam=yes", "- yes -" },
	{ "clam=", "- - -" },
	{ "clam", "- - -" },
	{ "=", "- - -" },
	{ "=yes,clam=yes", "- - -" },
	{ ",,,", "- - -" },
	{ "trophie=yes,clam=yes", "yes - -" },
	{ "unknown=1,clam=yes", "yes - -" },
	{ "spam_hits=20.1", "- - - hits 2010" },
	{ "spam_hits=5", "- - - hits 500" },
	{ "spam_hits=5.", "- - - hits 500" },
	{ "spam_hits=.5", "- - - hits 50" },
	{ "spam_hits=-2.25", "- - - hits -225" },
	{ "spam_hits=1.999", "- - - hits 199" },
	{ "spam_hits=0", "- - - hits 0" },
	{ "spam_hits=.", "- - -" },
	{ "spam_hits=5x", "- - -" },
	{ "spam_hits=7,spam_hits=x", "- - - hits 700" },
	{ "spam_hits=", "- - -" },
	{ "size_limit=250000", "- - - size 250000" },
	{ "size_limit=0", "- - - size 0" },
	{ "size_limit=1k", "- - -" },
	{ "size_limit=99999999999999999999999999", "- - -" },
	{ "size_limit=9999999999999999999", "- - -" },
	{ "attach=.txt:.com", "- - - attach .txt attach .com" },
	{ "attach=::.txt:", "- - - attach .txt" },
	{ "attach=.txt,attach=.com", "- - - attach .com" },
	{ "attach=.txt,attach=,spam=no", "- no -" },
	{ "regex=viagra:^x$", "- - - regex viagra regex ^x$" },
	{ "regex=a,regex=b", "- - - regex a regex b" },
	{ "regex=a,regex=,regex=c", "- - - regex c" },
	{ "qmailqueue=/bin/q", "- - - queue /bin/q" },
	{ "qmailqueue=/bin/q,qmailqueue=", "- - -" },
	{ "qmailqueue=/bin/q,qmailqueue=/r", "- - - queue /r" },
	{ "spamuser=u@d", "- - - user u@d" },
	{ "spamuser=u,spamuser=", "- - -" },
};

static void test_values(void)
{
	for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
		struct simcontrol control = { 0 };
		const char *value = values[i].value;

		simcontrol_read(&control, value, strlen(value));
		is_text(shown(&control), values[i].shown, value);
		simcontrol_free(&control);
	}
}

static void test_outcomes(void)
{
	static const char value[] =
		"clam=yes,calm=yes,spam=jes, size_limit=,attach=\0spam=no";
	static const struct {
		enum simcontrol_outcome outcome;
		const char *name, *value;
	} wanted[] = {
		{ SIMCONTROL_SET, "clam", "yes" },
		{ SIMCONTROL_UNKNOWN, "calm", "yes" },
		{ SIMCONTROL_NONSENSE, "spam", "jes" },
		{ SIMCONTROL_NONSENSE, "size_limit", "" },
		{ SIMCONTROL_SET, "attach", "" },
		{ SIMCONTROL_SET, "spam", "no" },
		{ SIMCONTROL_END, "", "" },
		{ SIMCONTROL_END, "", "" },
	};
	struct simcontrol control = { 0 };
	struct simcontrol_pair pair;
	const char *at = value, *end = value + sizeof value - 1;

	for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
		is_number(simcontrol_next(&control, &at, end, &pair),
			  wanted[i].outcome, "the outcome of a parameter");
		is_bytes(pair.name, pair.name_length, wanted[i].name,
			 strlen(wanted[i].name), "  its name");
		is_bytes(pair.value, pair.value_length, wanted[i].value,
			 strlen(wanted[i].value), "  its value");
	}
	simcontrol_free(&control);
}

/* ---- the table ---- */

static const char *const records[][2] = {
	{ "", "clam=yes,spam=yes,spam_hits=1,regex=all" },
	{ "example.com", "spam_hits=2" },
	{ "quiet.example", "spam=no" },
	{ "list@example.com", "spam_hits=3" },
	{ "list-owner@example.com", "spam_hits=4" },
	{ "list-@example.com", "spam_hits=5" },
	{ "list--x@example.com", "spam_hits=6" },
	{ "-x@example.com", "spam_hits=7" },
	{ "a@b@example.com", "spam_hits=8" },
	{ "postmaster@", "spam_hits=9" },
	{ "regex.example", "regex=more" },
	{ "none.example", "clam=no" },
};

static char folder[] = "/tmp/simcontrol-XXXXXX";
static char path[sizeof folder + 32];

static void make_table(size_t first)
{
	struct table_maker maker;
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

	table_make_start(&maker, fd);
	for (size_t i = first; i < sizeof records / sizeof *records; i++)
		table_make_add(&maker, records[i][0], strlen(records[i][0]),
			       records[i][1], strlen(records[i][1]));
	table_make_finish(&maker, NULL);
	close(fd);
}

/* Addresses, the sender first, and blanks between them. */
static int look_up(struct simcontrol *control, const char *addresses)
{
	struct str bytes = { 0 };
	struct envelope envelope;
	char *copy = strdup(addresses), *rest = copy, *word;
	int result;

	*control = (struct simcontrol){ 0 };
	word = strsep(&rest, " ");
	envelope_start(&bytes, word);
	while ((word = strsep(&rest, " "))) envelope_add(&bytes, word);
	envelope_end(&bytes);
	if (envelope_parse(bytes.data, bytes.length, &envelope) !=
	    ENVELOPE_WHOLE)
		abort();
	result = simcontrol_find(control, &envelope);
	free(copy);
	str_free(&bytes);
	return result;
}

static const struct {
	const char *addresses;
	const char *shown;
} envelopes[] = {
	{ " u@other.example", "yes yes - hits 100 regex all" },
	{ " u@example.com", "yes yes - hits 200 regex all" },
	{ " U@Example.COM", "yes yes - hits 200 regex all" },
	{ " list@example.com", "yes yes - hits 300 regex all" },
	{ " list-other@example.com", "yes yes - hits 300 regex all" },
	{ " List-Owner@example.com", "yes yes - hits 400 regex all" },
	{ " list-owner-x@example.com", "yes yes - hits 400 regex all" },
	{ " list--@example.com", "yes yes - hits 500 regex all" },
	{ " list--x@example.com", "yes yes - hits 600 regex all" },
	{ " lists@example.com", "yes yes - hits 200 regex all" },
	{ " -x@example.com", "yes yes - hits 700 regex all" },
	{ " a@b@example.com", "yes yes - hits 800 regex all" },
	{ " postmaster", "yes yes - hits 900 regex all" },
	{ " nobody", "yes yes - hits 100 regex all" },
	/* Sender first, and the default does not come back behind him. */
	{ "s@quiet.example u@other.example", "yes no - hits 100 regex all" },
	{ "s@example.com u@quiet.example", "yes no - hits 200 regex all" },
	/* The last recipient decides. */
	{ " list@example.com u@example.com", "yes yes - hits 200 regex all" },
	{ " u@example.com list@example.com", "yes yes - hits 300 regex all" },
	{ " u@none.example u@other.example", "no yes - hits 100 regex all" },
	/* Patterns add up. */
	{ "s@regex.example u@regex.example",
	  "yes yes - hits 100 regex all regex more regex more" },
};

static void test_look_ups(void)
{
	struct simcontrol control;

	for (size_t i = 0; i < sizeof envelopes / sizeof *envelopes; i++) {
		if (look_up(&control, envelopes[i].addresses) < 0)
			is_number(-1, 0, envelopes[i].addresses);
		is_text(shown(&control), envelopes[i].shown,
			envelopes[i].addresses);
		simcontrol_free(&control);
	}
}

static void test_many(void)
{
	struct simcontrol control;
	struct str text = { 0 };

	for (int i = 0; i < SIMCONTROL_RECIPIENTS; i++)
		str_append_text(&text, " u@other.example");
	str_append_text(&text, " list@example.com");
	look_up(&control, text.data);
	is_number(control.spam_hits, 100, "recipient 256 is not looked up");
	simcontrol_free(&control);
	look_up(&control, text.data + sizeof " u@other.example" - 1);
	is_number(control.spam_hits, 300, "recipient 255 is");
	simcontrol_free(&control);

	str_clear(&text);
	str_append_text(&text, " ");
	for (int i = 0; i < 400; i++) str_append_text(&text, "-");
	str_append_text(&text, "@example.com");
	look_up(&control, text.data);
	is_number(control.spam_hits, 200, "a local part of dashes");
	simcontrol_free(&control);
	str_free(&text);
}

static void test_tables(void)
{
	struct simcontrol control;
	int fd;

	make_table(1);
	look_up(&control, " u@other.example");
	ok(control.has_table && !simcontrol_wants(&control, control.clam),
	   "no record: nothing is scanned");
	simcontrol_free(&control);
	unlink(path);
	is_number(look_up(&control, " u@other.example"), 0, "no table");
	ok(!control.has_table && simcontrol_wants(&control, control.clam),
	   "everything is scanned");
	simcontrol_free(&control);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	is_number(look_up(&control, " u@other.example"), -1, "an empty file");
	is_number(errno, EPROTO, "is no table");
	simcontrol_free(&control);
	close(fd);
	ok(chmod(path, 0) == 0 &&
		   (look_up(&control, " u@x") == -1 || geteuid() == 0),
	   "one that may not be read");
	unlink(path);
}

int main(void)
{
	if (!mkdtemp(folder) || setenv("CONTROLDIR", folder, 1) < 0) return 1;
	snprintf(path, sizeof path, "%s/simcontrol.cdb", folder);
	test_values();
	test_outcomes();
	make_table(0);
	test_look_ups();
	test_many();
	test_tables();
	rmdir(folder);
	return done_testing();
}
