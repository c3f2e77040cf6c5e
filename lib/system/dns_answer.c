/* SPDX-License-Identifier: ISC */
#include "system/dns_answer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
	HEADER = 12,
	QUESTIONS_AT = 4,
	ANSWERS_AT = 6,
	QUESTION_REST = 4, /* type and class, behind the name */
	RECORD_REST = 10,  /* type, class, time to live, length of the data */
	CLASS_IN = 1,
	POINTER = 0xc0, /* the two bits that make a length something else */
};

static unsigned number_at(const struct dns_answer *answer, size_t at)
{
	return (unsigned)answer->message[at] << 8 | answer->message[at + 1];
}

/* Where the name ends that begins there; 0 when it does not. */
static size_t end_of_name(const struct dns_answer *answer, size_t at)
{
	while (at < answer->length) {
		unsigned length = answer->message[at];

		if (length == 0) return at + 1;
		if ((length & POINTER) == POINTER)
			return at + 2 <= answer->length ? at + 2 : 0;
		if (length & POINTER) return 0;
		at += 1 + length;
	}
	return 0;
}

/* Is `rest` there behind the name? Then where the name ends, or else 0. */
static size_t end_of_name_before(const struct dns_answer *answer, size_t at,
				 size_t rest)
{
	at = end_of_name(answer, at);
	return at > 0 && rest <= answer->length - at ? at : 0;
}

enum kind { BROKEN, WANTED, ANOTHER };

static enum kind read_record(struct dns_answer *answer,
			     struct dns_record *record)
{
	size_t at = end_of_name_before(answer, answer->at, RECORD_REST);

	if (at == 0) return BROKEN;
	record->data = answer->message + at + RECORD_REST;
	record->length = number_at(answer, at + RECORD_REST - 2);
	if (record->length > answer->length - at - RECORD_REST) return BROKEN;
	answer->at = at + RECORD_REST + record->length;
	answer->records--;
	return number_at(answer, at) == answer->type &&
			       number_at(answer, at + 2) == CLASS_IN
		       ? WANTED
		       : ANOTHER;
}

bool dns_answer_next(struct dns_answer *answer, struct dns_record *record)
{
	while (answer->records > 0) {
		enum kind kind = read_record(answer, record);

		if (kind == WANTED) return true;
		if (kind == BROKEN) break;
	}
	return false;
}

static int broken(void)
{
	errno = EPROTO;
	return -1;
}

int dns_answer_open(struct dns_answer *answer, const void *message,
		    size_t length, enum dns_type type)
{
	struct dns_record record;
	struct dns_answer all;
	int wanted = 0;

	*answer = (struct dns_answer){
		.message = message,
		.length = length,
		.type = type,
		.at = HEADER,
	};
	if (length < HEADER) return broken();
	for (unsigned i = number_at(answer, QUESTIONS_AT); i > 0; i--) {
		answer->at =
			end_of_name_before(answer, answer->at, QUESTION_REST);
		if (answer->at == 0) return broken();
		answer->at += QUESTION_REST;
	}
	answer->records = number_at(answer, ANSWERS_AT);
	all = *answer;
	while (all.records > 0) {
		enum kind kind = read_record(&all, &record);

		if (kind == BROKEN) {
			answer->records = 0;
			return broken();
		}
		if (kind == WANTED) wanted++;
	}
	return wanted;
}

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

/* Lower-cased; 0 for what no host's name has. */
static char host_byte(unsigned char byte)
{
	if (byte >= 'A' && byte <= 'Z') return (char)(byte - 'A' + 'a');
	if ((byte >= 'a' && byte <= 'z') || is_digit((char)byte) ||
	    byte == '-' || byte == '_')
		return (char)byte;
	return 0;
}

/* The same for a name that is only to be asked for. */
static char name_byte(unsigned char byte)
{
	if (byte >= 'A' && byte <= 'Z') return (char)(byte - 'A' + 'a');
	return byte > 32 && byte < 127 && byte != '.' ? (char)byte : 0;
}

static bool ends_in_number(const char *host)
{
	const char *dot = strrchr(host, '.');
	const char *last = dot ? dot + 1 : host;

	return strspn(last, "0123456789") == strlen(last);
}

/* Each pointer must lead further back than the part it ends began, or they
   might lead in a circle. The root has no letters. */
static bool read_name(const struct dns_answer *answer, size_t at,
		      char (*letter)(unsigned char), char host[DNS_NAME])
{
	const unsigned char *message = answer->message;
	size_t began = at, used = 0;

	while (at < answer->length && message[at] != 0) {
		size_t length = message[at];

		if ((length & POINTER) == POINTER) {
			if (at + 2 > answer->length) return false;
			at = number_at(answer, at) & 0x3fff;
			if (at >= began) return false;
			began = at;
			continue;
		}
		if (length & POINTER || length >= answer->length - at ||
		    used + length + 1 > DNS_NAME)
			return false;
		for (size_t i = 1; i <= length; i++) {
			host[used] = letter(message[at + i]);
			if (host[used++] == 0) return false;
		}
		host[used++] = '.';
		at += 1 + length;
	}
	if (at >= answer->length) return false;
	host[used > 0 ? used - 1 : 0] = '\0';
	return true;
}

bool dns_record_host(const struct dns_answer *answer,
		     const struct dns_record *record, char host[DNS_NAME])
{
	size_t at = (size_t)(record->data - answer->message);

	return answer->type == DNS_PTR &&
	       end_of_name(answer, at) == at + record->length &&
	       read_name(answer, at, host_byte, host) && *host &&
	       !ends_in_number(host);
}

bool dns_record_exchanger(const struct dns_answer *answer,
			  const struct dns_record *record, char host[DNS_NAME])
{
	enum { PREFERENCE = 2 };
	size_t at = (size_t)(record->data - answer->message) + PREFERENCE;

	return answer->type == DNS_MX && record->length > PREFERENCE &&
	       end_of_name(answer, at) == at + record->length - PREFERENCE &&
	       read_name(answer, at, name_byte, host);
}

bool dns_record_ip(const struct dns_answer *answer,
		   const struct dns_record *record, struct net_ip *ip)
{
	enum net_family family = answer->type == DNS_A      ? NET_IPV4
				 : answer->type == DNS_AAAA ? NET_IPV6
							    : NET_NONE;

	if (family == NET_NONE || record->length != net_ip_bits(family) / 8)
		return false;
	net_ip_of_bytes(record->data, family, ip);
	return true;
}

static bool is_strings(const struct dns_record *record)
{
	size_t at = 0;

	while (at < record->length) at += 1 + (size_t)record->data[at];
	return record->length > 0 && at == record->length;
}

bool dns_record_text(const struct dns_answer *answer,
		     const struct dns_record *record, struct str *text)
{
	const unsigned char *data = record->data;

	if (answer->type != DNS_TXT || !is_strings(record)) return false;
	for (size_t at = 0; at < record->length; at += 1 + (size_t)data[at])
		str_append(text, data + at + 1, data[at]);
	return true;
}

const char *dns_reverse_name(const struct net_ip *ip, char name[DNS_NAME])
{
	static const char digits[] = "0123456789abcdef";
	size_t length = net_ip_bits(ip->family) / 8;
	char *at = name;

	if (ip->family == NET_IPV4) {
		snprintf(name, DNS_NAME, "%u.%u.%u.%u.in-addr.arpa",
			 ip->bytes[3], ip->bytes[2], ip->bytes[1],
			 ip->bytes[0]);
		return name;
	}
	for (size_t i = length; i > 0; i--) {
		*at++ = digits[ip->bytes[i - 1] & 15];
		*at++ = '.';
		*at++ = digits[ip->bytes[i - 1] >> 4];
		*at++ = '.';
	}
	memcpy(at, "ip6.arpa", sizeof "ip6.arpa");
	return name;
}
