# METADATA
# scope: package
# title: Remote login weak
# description: |
#   The machine lets people in more easily than it should: sshd takes passwords or root, an account has none, or a console logs
#   somebody in by itself. Passwords are guessed and reused; a login as root leaves no trace of who it was; a console that asks
#   nothing gives the machine to whoever reaches the hypervisor's management.
# related_resources:
#   - ref: https://man.openbsd.org/sshd_config
#     description: sshd_config
#   - ref: https://csrc.nist.gov/pubs/sp/800/190/final
#     description: NIST SP 800-190, improper user access rights
# schemas:
#   - input: schema["vm"]
# custom:
#   id: PS-VM-009
#   severity: medium
#   needs: [ssh, consoles, users, machine.provider]
#   remediation: |
#     In a file below /etc/ssh/sshd_config.d write PasswordAuthentication no, KbdInteractiveAuthentication no and
#     PermitRootLogin no; use keys or certificates. Restrict keys that must reach root with from= and command=. Lock accounts
#     without a password (passwd -l). Take --autologin out of the getty units.
#   references:
#     nist-800-190: ["4.5.4"]
#     nist-800-125: ["4.2"]
#     attack-containers: [T1110, T1021.004]
#     cwe: ["307"]
#     isolation: [W2]
#   since: "0.1.0"
package postscan.vm.weak_login

deny contains {
	"message": sprintf("sshd takes passwords (%s)", [concat(", ", sort(passwords))]),
	"path": "ssh.password_authentication",
	"value": true,
	"key": "password",
} if {
	input.ssh.enabled
	count(passwords) > 0
	password_is_enough
}

deny contains {
	"message": sprintf("sshd lets root in (PermitRootLogin %s)", [input.ssh.permit_root_login]),
	"path": "ssh.permit_root_login",
	"value": input.ssh.permit_root_login,
	"key": "root",
} if {
	input.ssh.enabled
	root_allowed
}

deny contains {
	"message": sprintf("%d keys log in as root from anywhere and for anything", [input.ssh.root_keys_unrestricted]),
	"path": "ssh.root_keys_unrestricted",
	"value": input.ssh.root_keys_unrestricted,
	"key": "root keys",
} if {
	input.ssh.enabled
	input.ssh.permit_root_login in {"yes", "prohibit-password"}
	input.ssh.root_keys_unrestricted > 0
}

deny contains {
	"message": "sshd lets in accounts without a password",
	"path": "ssh.permit_empty_passwords",
	"value": true,
	"key": "empty passwords",
} if {
	input.ssh.enabled
	input.ssh.permit_empty_passwords
}

deny contains {
	"message": "a Match block of sshd's configuration allows passwords or root for some",
	"path": "ssh.match_weakens",
	"value": true,
	"key": "match",
} if {
	input.ssh.enabled
	input.ssh.match_weakens
}

deny contains {
	"message": sprintf("the account %s has an empty password and can log in", [user.name]),
	"path": sprintf("users[%d]", [index]),
	"value": {"name": user.name, "uid": user.uid},
	"key": concat(" ", ["account", user.name]),
} if {
	some index, user in input.users
	user.password == "empty"
	user.login_shell
}

deny contains {
	"message": sprintf("the console %s logs %s in without asking", [console.name, console.autologin]),
	"path": sprintf("consoles[%d]", [index]),
	"value": {"console": console.name, "account": console.autologin},
	"key": concat(" ", ["console", console.name]),
} if {
	some index, console in input.consoles
	console.autologin != ""
}

passwords contains "PasswordAuthentication" if input.ssh.password_authentication

passwords contains "KbdInteractiveAuthentication" if input.ssh.keyboard_interactive

# AuthenticationMethods names lists of methods that all must pass.
password_is_enough if input.ssh.authentication_methods in {"any", ""}

password_is_enough if {
	some method in split(input.ssh.authentication_methods, " ")
	method in {"password", "keyboard-interactive"}
}

root_allowed if input.ssh.permit_root_login == "yes"

# In a cloud, images come with an account of their own for the first login.
root_allowed if {
	input.ssh.permit_root_login == "prohibit-password"
	input.machine.provider != ""
}
