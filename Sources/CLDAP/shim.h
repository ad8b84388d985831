// OpenLDAP's client library.
#include <sys/time.h>
#include <lber.h>
#include <ldap.h>
