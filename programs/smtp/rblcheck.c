/* rblcheck: what do the lists of control/rbllist say of a client (qmail-ldap's
   RBL)? A line for each that has it, in the order of the file, with tabs
   between: what to do ("reject" or "addheader"), the list's name, what its
   answer had to be ("any" or an address), the address it gave, the message.
   Exit 0: there is such a line; 1: there is none.

   A list that does not answer lists nobody. Nor does one whose answer is none
   that a list would give, unless its line asks for just that address: what has
   been given up answers every question, and would have everybody listed.

   Takes an address, $CONTROLDIR and DNSCACHEIP. All lists are asked at once,
   with 10 seconds for all. RFC 5782.
   SPDX-License-Identifier: ISC */

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/exit_codes.h"
#include "base/message.h"
#include "base/options.h"
#include "base/parse.h"
#include "base/str.h"
#include "mail/control.h"
#include "mail/dns_list.h"
#include "system/dns_cache.h"
#include "system/file.h"

static const char synopsis[] = "rblcheck [ -v ] [ -t seconds ] [ -f file ] ip";

enum {
	SECONDS = 10,
	MOST_SECONDS = 300,
	FILE_LIMIT = 256 * 1024,
	MOST_LISTS = 64,
	/* Fits into the line of a reply, RFC 5321 section 4.5.3.1.5. */
	MESSAGE_ROOM = 301,
	EXIT_NOT_LISTED = 1,
};

struct entry {
	struct dns_list list;
	bool rejects;
	struct net_ip wanted; /* NET_NONE: any that a list would give */
	char message[MESSAGE_ROOM];
	const struct dns_finding *finding;
};

struct inquiry {
	unsigned long seconds;
	const char *path; /* NULL: control/rbllist, which need not be there */
	bool is_verbose;
	struct net_ip ip;
	size_t count;
	struct entry entries[MOST_LISTS];
	struct dns_cache cache; /* last: most of it stays untouched */
};

/* ---- the file ---- */

/* The next word of the line; empty at its end. */
static char *take_word(char **rest)
{
	char *word = *rest + strspn(*rest, " \t");
	size_t length = strcspn(word, " \t");

	*rest = word + length;
	if (**rest) *(*rest)++ = '\0';
	return word;
}

static bool is_word(const char *word, const char *wanted)
{
	return parse_same_word(word, strlen(word), wanted);
}

/* NULL, or what is wrong; that never shows the text, which may hold a key. */
static const char *read_entry(struct entry *entry, char *line)
{
	const char *mistake, *action, *wanted, *message;

	mistake = dns_list_parse(&entry->list, take_word(&line),
				 DNS_LIST_REFUSES);
	if (mistake) return mistake;
	if (entry->list.has_weight || entry->list.message)
		return "a list has no weight here, and its message is the "
		       "fourth word";
	action = take_word(&line);
	entry->rejects = is_word(action, "reject");
	if (!entry->rejects && !is_word(action, "addheader"))
		return "the second word is neither reject nor addheader";
	wanted = take_word(&line);
	if (!is_word(wanted, "any") && net_ip_parse(wanted, &entry->wanted) < 0)
		return "the third word is neither any nor an address";
	message = line + strspn(line, " \t");
	if (!*message) return "there is no message";
	if (strlen(message) >= sizeof entry->message)
		return "the message is longer than 300 bytes";
	printable_text(entry->message, sizeof entry->message, message);
	return NULL;
}

static void read_line(struct inquiry *inquiry, char *line, unsigned long number)
{
	const char *mistake = "there are too many lists";
	size_t length = strlen(line);

	while (length > 0 && strchr(" \t\r", line[length - 1])) length--;
	line[length] = '\0';
	line += strspn(line, " \t");
	if (!*line || *line == '#') return;
	if (inquiry->count < MOST_LISTS)
		mistake = read_entry(&inquiry->entries[inquiry->count], line);
	if (mistake)
		die_permanent("%s:%lu: %s", inquiry->path, number, mistake);
	inquiry->count++;
}

static void read_file(struct inquiry *inquiry)
{
	struct str path = { 0 }, bytes = { 0 };
	bool is_usual = !inquiry->path;
	unsigned long number = 0;
	char *rest, *line;

	if (is_usual) {
		control_path(&path, "rbllist");
		inquiry->path = path.data;
	}
	if (file_read(inquiry->path, &bytes, FILE_LIMIT) < 0) {
		if (is_usual && errno == ENOENT) return;
		die_temporary("unable to read %s:", inquiry->path);
	}
	/* What a crash leaves: it would end the text, and hide the rest. */
	if (bytes.length > 0 && memchr(bytes.data, '\0', bytes.length))
		die_permanent("%s: it has a NUL byte", inquiry->path);
	rest = bytes.data;
	while (rest && (line = strsep(&rest, "\n")))
		read_line(inquiry, line, ++number);
}

/* ---- the lists ---- */

static void ask_all(struct inquiry *inquiry)
{
	struct dns_cache *cache = &inquiry->cache;
	char name[DNS_NAME];

	if (dns_cache_open(cache, getenv("DNSCACHEIP"),
			   deadline_in(inquiry->seconds)) < 0)
		warn("DNSCACHEIP is no list of addresses");
	for (size_t i = 0; i < inquiry->count; i++) {
		struct entry *entry = &inquiry->entries[i];

		dns_list_question(&entry->list, &inquiry->ip, name);
		entry->finding = dns_cache_ask(cache, name, DNS_A);
	}
	for (size_t i = 0; i < inquiry->count; i++)
		while (inquiry->entries[i].finding->is_awaited &&
		       dns_cache_wait(cache))
			;
}

static bool has_address(struct dns_answer answer, const struct net_ip *wanted)
{
	struct dns_record record;
	struct net_ip ip;

	while (dns_answer_next(&answer, &record))
		if (dns_record_ip(&answer, &record, &ip) &&
		    net_ip_equal(&ip, wanted))
			return true;
	return false;
}

/* Of the list's answers: the one that counts, or else one to speak of. */
static bool is_listed(const struct entry *entry, struct net_ip *ip)
{
	struct dns_answer answer = entry->finding->answer;
	enum dns_list_answer judgement =
		dns_list_judge_all(&entry->list, &answer, ip);

	if (entry->wanted.family == NET_NONE)
		return judgement == DNS_LIST_COUNTS;
	if (!has_address(entry->finding->answer, &entry->wanted)) return false;
	*ip = entry->wanted;
	return true;
}

static void say(const struct inquiry *inquiry, const struct entry *entry,
		const char *what, const char *detail)
{
	if (inquiry->is_verbose)
		note("%s: %s%s", entry->list.name, what, detail);
}

/* Has the list the client? The address that says so is in `text`. */
static bool judge(const struct inquiry *inquiry, const struct entry *entry,
		  char text[NET_IP_TEXT])
{
	struct net_ip ip;

	switch (entry->finding->result) {
	case DNS_FAILED: say(inquiry, entry, "no answer", ""); return false;
	case DNS_ABSENT: say(inquiry, entry, "not listed", ""); return false;
	case DNS_FOUND: break;
	}
	if (is_listed(entry, &ip)) {
		say(inquiry, entry, "listed as ", net_ip_format(&ip, text));
		return true;
	}
	say(inquiry, entry, "not listed, in spite of ",
	    ip.family == NET_NONE ? "other addresses"
				  : net_ip_format(&ip, text));
	return false;
}

static void append_listing(struct str *output, const struct entry *entry,
			   const char *answer)
{
	char wanted[NET_IP_TEXT];

	str_append_text(output, entry->rejects ? "reject\t" : "addheader\t");
	str_append_text(output, entry->list.name);
	str_append_byte(output, '\t');
	str_append_text(output,
			entry->wanted.family == NET_NONE
				? "any"
				: net_ip_format(&entry->wanted, wanted));
	str_append_byte(output, '\t');
	str_append_text(output, answer);
	str_append_byte(output, '\t');
	str_append_text(output, entry->message);
	str_append_byte(output, '\n');
}

static int report(const struct inquiry *inquiry)
{
	struct str output = { 0 };
	char answer[NET_IP_TEXT];

	for (size_t i = 0; i < inquiry->count; i++)
		if (judge(inquiry, &inquiry->entries[i], answer))
			append_listing(&output, &inquiry->entries[i], answer);
	if (output.length == 0) return EXIT_NOT_LISTED;
	if (file_write(STDOUT_FILENO, output.data, output.length) < 0)
		die_temporary("unable to write output:");
	return EXIT_DONE;
}

/* An address of IPv6 may name an interface behind '%', which lists know nothing
   of. */
static void read_address(struct inquiry *inquiry, char *text)
{
	char shown[NET_IP_TEXT];

	text[strcspn(text, "%")] = '\0';
	if (net_ip_parse(text, &inquiry->ip) < 0)
		die_permanent("%s is no IP address",
			      printable_text(shown, sizeof shown, text));
}

int main(int argc, char **argv)
{
	static struct inquiry inquiry;
	int letter;

	program_name = "rblcheck";
	inquiry.seconds = SECONDS;
	while ((letter = option_next(argc, argv, "vt:f:", synopsis)) != -1)
		switch (letter) {
		case 'v': inquiry.is_verbose = true; break;
		case 'f': inquiry.path = optarg; break;
		default:
			inquiry.seconds = option_number(letter, 1, MOST_SECONDS,
							synopsis);
		}
	if (argc - optind != 1) die_usage(synopsis);
	read_address(&inquiry, argv[optind]);
	read_file(&inquiry);
	if (inquiry.count == 0) return EXIT_NOT_LISTED;
	ask_all(&inquiry);
	return report(&inquiry);
}
