/* SPDX-License-Identifier: ISC */
#include "limits.h"

void limits_prepare(struct limits *limits, const struct settings *settings)
{
	*limits = (struct limits){ .settings = settings };
}

struct refusal limits_judge(struct limits *limits, const struct net_ip *ip,
			    const char *rule, size_t rule_length, bool denied)
{
	(void)limits;
	(void)ip;
	(void)rule;
	(void)rule_length;
	(void)denied;
	return (struct refusal){ .name = NULL };
}

void limits_session_begins(struct limits *limits, const struct net_ip *ip)
{
	(void)limits;
	(void)ip;
}

void limits_session_ends(struct limits *limits, const struct net_ip *ip)
{
	(void)limits;
	(void)ip;
}

int limits_save(struct limits *limits, int fd)
{
	(void)limits;
	(void)fd;
	return 0;
}

int limits_load(struct limits *limits, int fd)
{
	(void)limits;
	(void)fd;
	return 0;
}
