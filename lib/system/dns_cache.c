/* SPDX-License-Identifier: ISC */
#include "system/dns_cache.h"

#include <string.h>
#include <strings.h>

int dns_cache_open(struct dns_cache *cache, const char *servers, deadline end)
{
	int opened = dns_open(&cache->dns, servers);

	cache->end = end;
	dns_keep_port(&cache->dns);
	return opened;
}

void dns_cache_close(struct dns_cache *cache)
{
	dns_close(&cache->dns);
	for (size_t i = 0; i < cache->count; i++)
		str_free(&cache->findings[i].message);
	cache->count = 0;
}

void dns_cache_extend(struct dns_cache *cache, deadline end)
{
	cache->end = end;
	cache->is_late = false;
}

static void take_answer(void *context, enum dns_result result,
			struct dns_answer *answer)
{
	struct dns_finding *finding = context;

	finding->is_awaited = false;
	finding->result = result;
	finding->answer = *answer;
	if (result != DNS_FOUND) return;
	str_append(&finding->message, answer->message, answer->length);
	finding->answer.message = (const void *)finding->message.data;
}

/* In the text of a name, c-ares takes a backslash for the start of an escape. */
static void ask(struct dns_cache *cache, struct dns_finding *finding)
{
	char escaped[2 * DNS_NAME];
	size_t used = 0;

	for (const char *at = finding->name; *at; at++) {
		if (*at == '\\') escaped[used++] = '\\';
		escaped[used++] = *at;
	}
	escaped[used] = '\0';
	finding->is_awaited = dns_ask(&cache->dns, escaped, finding->type,
				      take_answer, finding) != NULL;
}

const struct dns_finding *dns_cache_ask(struct dns_cache *cache,
					const char *name, enum dns_type type)
{
	static const struct dns_finding nothing = { .result = DNS_FAILED };
	struct dns_finding *finding = cache->findings;
	size_t length = strlen(name);

	for (; finding < cache->findings + cache->count; finding++)
		if (finding->type == type &&
		    strcasecmp(finding->name, name) == 0)
			return finding;
	if (cache->is_late || cache->count == DNS_CACHE_ROOM ||
	    length >= sizeof finding->name)
		return &nothing;
	cache->count++;
	finding->type = type;
	finding->result = DNS_FAILED;
	memcpy(finding->name, name, length + 1);
	ask(cache, finding);
	return finding;
}

bool dns_cache_wait(struct dns_cache *cache)
{
	size_t waiting = cache->dns.waiting;

	while (!cache->is_late && cache->dns.waiting == waiting) {
		int left = deadline_left(cache->end);
		int timeout = dns_timeout(&cache->dns);

		if (timeout < 0 || (left >= 0 && left < timeout))
			timeout = left;
		if (left == 0) cache->is_late = true;
		else dns_serve_within(&cache->dns, timeout);
	}
	return !cache->is_late;
}

const struct dns_finding *dns_cache_find(struct dns_cache *cache,
					 const char *name, enum dns_type type)
{
	const struct dns_finding *finding = dns_cache_ask(cache, name, type);

	while (finding->is_awaited && dns_cache_wait(cache))
		;
	return finding;
}
