/* SPDX-License-Identifier: ISC */
#include "addresses.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/message.h"
#include "base/str.h"
#include "mail/address.h"
#include "mail/control.h"
#include "system/table.h"

/* Lists of names; the values of `own` are those of the file's second field. */
struct domains {
	struct record_list own;     /* control/validrcptto: addresses */
	struct record_list own_of;  /* the domains of those */
	struct record_list locals;  /* control/locals */
	struct record_list virtual; /* control/virtualdomains: beginnings */
	struct record_list hosts;   /* rcpthosts, morercpthosts.cdb */
};

struct finding {
	struct record_list *addresses;
	const struct locals *locals;
	struct report *report;
	struct domains domains;
	struct str address;
};

static void lower(char *text)
{
	for (; *text; text++) *text = (char)tolower((unsigned char)*text);
}

static void sort(struct record_list *list)
{
	record_list_sort(list);
	record_list_drop_repeats(list);
}

/* Adding. */

static bool is_fit(const struct str *address)
{
	for (size_t i = 0; i < address->length; i++)
		if ((unsigned char)address->data[i] <= ' ' ||
		    address->data[i] == 0x7f)
			return false;
	return address->length > 0 && address->length < ADDRESS_LIMIT;
}

/* NAME and REST, at DOMAIN */
static void add(struct finding *finding, const char *name, size_t length,
		const char *rest, const char *domain)
{
	struct str *address = &finding->address;

	str_clear(address);
	str_append(address, name, length);
	str_append_text(address, rest);
	str_append_byte(address, '@');
	str_append_text(address, domain);
	if (!is_fit(address)) return;
	record_list_add(finding->addresses, address->data, address->length, "",
			0);
	progress_step(&finding->report->progress, "names and addresses");
}

/* DOMAIN-NAME, where DOMAIN's names begin with DOMAIN: the way that vpopmail has
   it. As an address of a local domain it would do, and nobody knows it. */
static bool is_of_domain(const struct finding *finding,
			 const struct record *name)
{
	struct record virtual;

	for (size_t i = 1; i < name->key_length; i++)
		if (name->key[i] == '-' && memchr(name->key, '.', i) &&
		    record_list_find(&finding->domains.virtual, name->key, i,
				     &virtual) &&
		    virtual.value_length == i &&
		    memcmp(virtual.value, name->key, i) == 0)
			return true;
	return false;
}

static bool begins_with(const struct record *record, const char *beginning,
			size_t length)
{
	return record->key_length >= length &&
	       memcmp(record->key, beginning, length) == 0;
}

/* Every local name that begins so, without the beginning, at the domain. */
static void add_all(struct finding *finding, const char *beginning,
		    const char *domain)
{
	const struct record_list *names = &finding->locals->names;
	const struct record_list *rests = &finding->locals->beginnings;
	size_t length = strlen(beginning), i;

	for (i = record_list_place(names, beginning, length); i < names->count;
	     i++) {
		struct record record = record_list_at(names, i);

		if (!begins_with(&record, beginning, length)) break;
		if (record.key_length > length &&
		    (length > 0 || !is_of_domain(finding, &record)))
			add(finding, record.key + length,
			    record.key_length - length, "", domain);
	}
	for (i = record_list_place(rests, beginning, length); i < rests->count;
	     i++) {
		struct record record = record_list_at(rests, i);

		if (!begins_with(&record, beginning, length)) break;
		if (record.key_length > length &&
		    (length > 0 || !is_of_domain(finding, &record)))
			add(finding, record.key + length,
			    record.key_length - length, "default", domain);
	}
	if (locals_cover(finding->locals, beginning, length))
		add(finding, "", 0, "", domain);
}

/* Control files. */

static void read_list(struct finding *finding, const char *name,
		      struct str *lines)
{
	struct str path = { 0 };

	if (control_read_list(name, lines) != CONTROL_FAILED) return;
	control_path(&path, name);
	report_unreadable(finding->report, path.data);
	str_free(&path);
}

/* "KEY", or "KEY MARK VALUE" */
static void add_lines(struct record_list *list, struct str *lines,
		      const char *marks)
{
	for (size_t at = 0, next; at < lines->length; at = next) {
		char *line = lines->data + at;
		size_t length = strcspn(line, marks);
		const char *value = line + length;

		next = at + strlen(line) + 1;
		value += strspn(value, marks);
		line[length] = '\0';
		lower(line);
		record_list_add(list, line, length, value, strlen(value));
	}
}

static void read_local_domains(struct finding *finding)
{
	struct record_list *locals = &finding->domains.locals;
	struct str lines = { 0 }, me = { 0 };

	read_list(finding, "locals", &lines);
	add_lines(locals, &lines, "\n");
	/* A file without lines is no missing file. */
	control_path(&lines, "locals");
	if (locals->count == 0 && access(lines.data, F_OK) < 0 &&
	    control_read_line("me", &me) == CONTROL_FOUND) {
		lower(me.data);
		record_list_add(locals, me.data, me.length, "", 0);
	}
	sort(locals);
	str_free(&me);
	str_free(&lines);
}

static void read_virtual_domains(struct finding *finding)
{
	struct record_list *virtual = &finding->domains.virtual;
	struct str lines = { 0 };

	read_list(finding, "virtualdomains", &lines);
	for (size_t at = 0, next; at < lines.length; at = next) {
		char *line = lines.data + at, *colon = strchr(line, ':');

		next = at + strlen(line) + 1;
		lower(line);
		if (colon)
			record_list_add(virtual, line, (size_t)(colon - line),
					colon + 1, strlen(colon + 1));
	}
	sort(virtual);
	str_free(&lines);
}

static void read_hosts(struct finding *finding)
{
	struct record_list *hosts = &finding->domains.hosts;
	struct str lines = { 0 };
	struct table table = { 0 };
	struct table_record record;
	enum table_answer answer = TABLE_ABSENT;
	unsigned at = 0;

	read_list(finding, "rcpthosts", &lines);
	add_lines(hosts, &lines, "\n");
	control_path(&lines, "morercpthosts.cdb");
	if (table_open(&table, lines.data) == 0)
		while ((answer = table_next(&table, &at, &record)) ==
		       TABLE_FOUND)
			record_list_add(hosts, record.key, record.key_length,
					"", 0);
	else if (errno != ENOENT) answer = TABLE_FAILED;
	if (answer == TABLE_FAILED)
		report_unreadable(finding->report, lines.data);
	table_close(&table);
	sort(hosts);
	str_free(&lines);
}

/* These come first, and so count; a domain of which the administrator names
   addresses is his to complete. */
static void read_own(struct finding *finding)
{
	struct domains *domains = &finding->domains;
	struct str lines = { 0 };

	read_list(finding, "validrcptto", &lines);
	add_lines(&domains->own, &lines, " \t");
	for (size_t i = 0; i < domains->own.count; i++) {
		struct record own = record_list_at(&domains->own, i);
		const char *at = memrchr(own.key, '@', own.key_length);
		const char *end = own.key + own.key_length;

		record_list_add(finding->addresses, own.key, own.key_length,
				own.value, own.value_length);
		if (at++)
			record_list_add(&domains->own_of, at,
					(size_t)(end - at), "", 0);
	}
	sort(&domains->own_of);
	str_free(&lines);
}

/* Domains. */

static bool has(const struct record_list *list, const char *name)
{
	struct record record;

	return record_list_find(list, name, strlen(name), &record);
}

/* The beginning of the local names, and a dash; false when the host's mail goes
   elsewhere. The names are looked up as qmail-send does. */
static bool find_virtual(const struct domains *domains, const char *host,
			 struct str *beginning)
{
	const char *name = host;
	struct record record;

	while (!record_list_find(&domains->virtual, name, strlen(name),
				 &record)) {
		if (!*name) return false;
		name++;
		name += strcspn(name, ".");
	}
	if (record.value_length == 0) return false;
	str_clear(beginning);
	str_append(beginning, record.value, record.value_length);
	str_append_byte(beginning, '-');
	return true;
}

static bool is_covered_by_own(const struct domains *domains, const char *ending)
{
	size_t length = strlen(ending);

	for (size_t i = 0; i < domains->own_of.count; i++) {
		struct record own = record_list_at(&domains->own_of, i);

		if (own.key_length > length &&
		    memcmp(own.key + own.key_length - length, ending, length) ==
			    0)
			return true;
	}
	return false;
}

/* A host that smtpd accepts mail for. When it is neither local nor virtual, mail
   is handed on, and only the other server knows its addresses. */
static void add_host(struct finding *finding, const char *host)
{
	const struct domains *domains = &finding->domains;
	struct str beginning = { 0 };
	char shown[SHOWN];

	if (has(&domains->locals, host)) return;
	if (*host == '.') {
		if (!is_covered_by_own(domains, host) &&
		    report_may_warn(finding->report))
			warn("hosts that end in %s are not in the list, since "
			     "nobody can say which there are",
			     printable_text(shown, sizeof shown, host));
	} else if (find_virtual(domains, host, &beginning)) {
		add_all(finding, beginning.data, host);
	} else if (!has(&domains->own_of, host)) {
		add(finding, "", 0, "", host);
	}
	str_free(&beginning);
}

/* An address of its own, NAME@DOMAIN:BEGINNING. */
static void add_virtual_address(struct finding *finding,
				const struct record *record, const char *key)
{
	const char *at = strrchr(key, '@');
	size_t length = (size_t)(at - key);
	struct str name = { 0 };

	if (has(&finding->domains.locals, at + 1)) return;
	str_append(&name, record->value, record->value_length);
	str_append_byte(&name, '-');
	str_append(&name, key, length);
	if (record->value_length == 0 ||
	    locals_has(finding->locals, name.data, name.length))
		add(finding, key, length, "", at + 1);
	str_free(&name);
}

static void add_virtual(struct finding *finding, const struct record *record)
{
	struct str key = { 0 };

	str_append(&key, record->key, record->key_length);
	if (strchr(key.data, '@'))
		add_virtual_address(finding, record, key.data);
	else if (key.length && *key.data != '.' && record->value_length &&
		 !has(&finding->domains.hosts, key.data))
		add_host(finding, key.data);
	str_free(&key);
}

void addresses_find(struct record_list *addresses, const struct locals *locals,
		    struct report *report)
{
	static struct finding finding;
	struct domains *domains = &finding.domains;
	struct str host = { 0 };

	finding.addresses = addresses;
	finding.locals = locals;
	finding.report = report;
	read_own(&finding);
	read_local_domains(&finding);
	read_virtual_domains(&finding);
	read_hosts(&finding);
	for (size_t i = 0; i < domains->locals.count; i++) {
		struct record record = record_list_at(&domains->locals, i);

		str_clear(&host);
		str_append(&host, record.key, record.key_length);
		add_all(&finding, "", host.data);
	}
	for (size_t i = 0; i < domains->hosts.count; i++) {
		struct record record = record_list_at(&domains->hosts, i);

		str_clear(&host);
		str_append(&host, record.key, record.key_length);
		add_host(&finding, host.data);
	}
	for (size_t i = 0; i < domains->virtual.count; i++) {
		struct record record = record_list_at(&domains->virtual, i);

		add_virtual(&finding, &record);
	}
	str_free(&host);
}
