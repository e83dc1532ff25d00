# METADATA
# scope: package
# title: Unsafe accounts in the image
# description: |
#   The image's account files hold an account that may log in with an empty password, a second name for uid 0, or two names for one
#   uid or gid. An empty password makes any login service, and su, a way to that account without a secret. A second name for uid 0
#   is root that no rule about "root" sees. Accounts that share a number share each other's files and processes, so the separation
#   that they seem to give is not there.
# related_resources:
#   - ref: https://man7.org/linux/man-pages/man5/shadow.5.html
#     description: /etc/shadow and what an empty field means
#   - ref: https://man7.org/linux/man-pages/man5/passwd.5.html
#     description: /etc/passwd
# schemas:
#   - input: schema["image"]
# custom:
#   id: PS-IMG-007
#   severity: medium
#   needs: [users, groups]
#   remediation: |
#     Lock accounts without a password ("passwd -l NAME", which puts "!" in /etc/shadow) and give those that never log in the shell
#     /usr/sbin/nologin. Keep root as the only account with uid 0. Give each account and group a number of its own
#     ("useradd --uid", "groupadd --gid"), and remove accounts that nothing uses.
#   references:
#     nist-800-190: ["4.1.2"]
#     attack-containers: [T1078.001]
#     cwe: ["258"]
#     isolation: [W5]
#   since: "0.1.0"
package postscan.image.unsafe_accounts

deny contains {
	"message": sprintf("the account %s has an empty password and the login shell %s", [user.name, shell(user)]),
	"path": sprintf("users[%d]", [index]),
	"value": {"name": user.name, "uid": user.uid, "shell": user.shell},
	"key": concat(" ", ["empty password", user.name]),
} if {
	some index, user in input.users
	user.password == "empty"
	user.login_shell
}

deny contains {
	"message": sprintf("%d accounts have uid 0: %s", [count(names), concat(", ", names)]),
	"path": "users",
	"value": names,
	"key": "uid 0",
} if {
	names := names_of_uid[0]
	count(names) > 1
}

deny contains {
	"message": sprintf("the accounts %s share the uid %d", [concat(", ", names), uid]),
	"path": "users",
	"value": names,
	"key": sprintf("uid %d", [uid]),
} if {
	some uid, names in names_of_uid
	uid != 0
	count(names) > 1
}

deny contains {
	"message": sprintf("the groups %s share the gid %d", [concat(", ", names), gid]),
	"path": "groups",
	"value": names,
	"key": sprintf("gid %d", [gid]),
} if {
	some gid, names in names_of_gid
	count(names) > 1
}

# Names, not lines: a line that stands twice in the file is no second account.
names_of_uid[user.uid] contains user.name if some user in input.users

names_of_gid[group.gid] contains group.name if some group in input.groups

# An empty shell field means /bin/sh.
shell(user) := user.shell if {
	user.shell != ""
} else := "/bin/sh"
