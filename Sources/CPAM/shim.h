// Linux-PAM's application interface, and the system's groups (getgrouplist(3), getgrgid_r(3), getpwnam_r(3)).
#include <grp.h>
#include <pwd.h>
#include <security/pam_appl.h>
