//! The command lines of `sx user` and `sx token`.

use clap::Subcommand;

/// What can be done with accounts.
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Make an account, or give one a new password and groups
    #[command(
        long_about = "Make an account, or give one a new password and groups; its sessions and tokens are worth nothing \
                      from then on. The password, 10 characters or more, is asked for on a terminal and else read from \
                      standard input, a line."
    )]
    Add {
        /// 1 to 64 lower-case letters, digits, `.` `-` and `_`
        name: String,
        /// A group it is in, `admins` or `editors`; may be given several times
        #[arg(long = "group", value_name = "GROUP", default_value = "admins")]
        groups: Vec<String>,
        /// Make a password up and print it
        #[arg(long)]
        generate: bool,
    },
    /// Remove an account; its sessions and tokens are worth nothing from then on
    Remove {
        /// The account
        name: String,
    },
    /// List the accounts with their groups
    List,
}

/// What can be done with tokens.
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Make a token for an account and print it
    #[command(
        long_about = "Make a token for an account and print it. The store keeps a hash of it only, so nothing prints \
                      it again. A program sends it as `Authorization: Bearer TOKEN`."
    )]
    Add {
        /// The account
        name: String,
        /// What it is for
        #[arg(long, value_name = "TEXT", default_value = "")]
        label: String,
    },
    /// Remove a token, which is worth nothing from then on
    Remove {
        /// The token, as `sx token list` names it
        id: String,
    },
    /// List the tokens with their accounts and what they are for
    List,
}
