# fish completion for tokenctl. `tokenctl completion fish` prints it; print it again after an update of tokenctl.
# No program starts at TAB.

# Reads the words before the cursor, and sets variables of its caller: `command` (its name, such as profile set),
# `arguments` (those of the command), `dashes` (whether there was a --) and `config` (the value of --config).
function __tokenctl_read --no-scope-shadowing
    set command ''
    set arguments
    set dashes
    set config
    set __before ''
    for __word in (commandline -opc)[2..-1]
        if test -n "$__before"
            test $__before = --config; and set config (string replace -r '^~/' "$HOME/" -- $__word)
            set __before ''
        else if test -z "$dashes"; and string match -q -- '-*' $__word
            test $__word = --; and set dashes $__word
            string match -q -- '--config=*' $__word; and set config (string replace -- --config= '' $__word)
            string match -rq -- $__tokenctl_takes_value $__word; and set __before $__word
        else if test -z "$arguments"; and contains -- (string trim -- "$command $__word") $__tokenctl_commands
            set command (string trim -- "$command $__word")
        else
            set -a arguments $__word
            test "$command" = exec; and set dashes -- # the words of a program are its own
        end
    end
    set -e __before
end

# Tells whether the cursor is at this command, with this number of arguments before it (1+: one or more).
function __tokenctl_at --argument-names wanted number
    set -l command
    set -l arguments
    set -l dashes
    set -l config
    __tokenctl_read
    test "$command" = "$wanted"; or return
    switch "$number"
        case ''
            return 0
        case '*+'
            test (count $arguments) -ge (string replace + '' -- $number)
        case '*'
            test (count $arguments) -eq $number
    end
end

# Prints the names of the profiles, from the config file (TOML). A name is compared and offered, and never evaluated.
function __tokenctl_profiles
    set -l command
    set -l arguments
    set -l dashes
    set -l config
    __tokenctl_read
    if not set -q config[1]
        set config (__tokenctl_config)
    end
    # Not of a pipe, which would wait.
    test -f "$config" -a -r "$config"; or return 0

    # Without comments and multi-line strings, which can hold lines that look like tables.
    set -l multi '"""(?:[^"\\\\]++|\\\\.|"(?!""))*+"{3,5}'
    set -l literal '\'\'\'(?:[^\']++|\'(?!\'\'))*+\'{3,5}'
    set -l kept '"(?:[^"\\\\\n]++|\\\\.)*+"|\'[^\'\n]*+\''
    set -l text (string collect <$config | string replace -ra "(?s)$multi|$literal|#[^\n]*+|($kept)" '$1' | string collect)

    set -l profiles '(?:profiles|"profiles"|\'profiles\')'
    set -l quoted '[A-Za-z0-9][A-Za-z0-9._-]{0,63}'
    set -l key "(\"$quoted\"|'$quoted'|[A-Za-z0-9][A-Za-z0-9_-]{0,63})"
    set -l lines (string split \n -- $text)
    set -l top (string match -r '^(?:(?!\s*\[)[^\n]*+\n?)*+' -- $text)
    set -l inside (string match -r "(?m)^\s*\[\s*$profiles\s*\](?:\n(?!\s*\[)[^\n]*+)*+" -- $text)
    begin
        string replace -rf "^\s*\[\s*$profiles\s*\.\s*$key\s*[].].*" '$1' -- $lines
        string replace -rf "^\s*$profiles\s*\.\s*$key\s*[.=].*" '$1' -- $top
        string replace -rf "^\s*$key\s*[.=].*" '$1' -- $inside
    end | string trim -c '"\''
end

# Prints the config file's path, as tokenctl finds it without --config.
function __tokenctl_config
    if set -q TOKENCTL_CONFIG
        printf '%s\n' $TOKENCTL_CONFIG
    else if test -d /System/Library/CoreServices # macOS; uname would be a program
        printf '%s\n' "$HOME/Library/Application Support/tokenctl/config.toml"
    else if string match -q '/*' -- $XDG_CONFIG_HOME # a relative path would mean the current directory
        printf '%s\n' $XDG_CONFIG_HOME/tokenctl/config.toml
    else
        printf '%s\n' $HOME/.config/tokenctl/config.toml
    end
end

# Prints KEY= for each setting that is not there yet, or KEY=VALUE for each value of the setting at the cursor.
function __tokenctl_settings
    set -l command
    set -l arguments
    set -l dashes
    set -l config
    __tokenctl_read
    set -l token (commandline -ct)
    if string match -q '*=*' -- $token
        string match -- (string replace -r '=.*' '=*' -- $token) $__tokenctl_setting_values
    else
        set -l given (string replace -r '=.*' '' -- $arguments)
        for key in $__tokenctl_settings
            contains -- $key $given; or printf '%s\n' $key$argv
        end
    end
end

# Prints the commands of tokenctl or of a group, and first the topics.
function __tokenctl_topics
    set -l command
    set -l arguments
    set -l dashes
    set -l config
    __tokenctl_read
    set -l prefix (string join '' -- $arguments' ')
    for each in $__tokenctl_commands
        string replace -rf "^"(string escape --style=regex -- "$prefix")'(\S+)$' '$1' -- $each
    end
end

# Prints -- first, since it ends the options; then the programs that `exec` can run: no function, no builtin.
function __tokenctl_programs
    set -l command
    set -l arguments
    set -l dashes
    set -l config
    __tokenctl_read
    set -l token (commandline -ct)
    if test -z "$token$dashes"
        printf '%s\n' --
    else if string match -q '*/*' -- $token
        __fish_complete_path $token
    else
        for folder in $PATH
            for file in $folder/$token*
                test -f $file -a -x $file; and string replace -r '.*/' '' -- $file
            end
        end
    end
end

# Completes the words of the program that `exec` runs, as its own completion does.
function __tokenctl_child
    set -l command
    set -l arguments
    set -l dashes
    set -l config
    __tokenctl_read
    set -l line (string join ' ' -- (string escape -- $arguments) (commandline -ct))
    complete -C"$line"
end

complete -c tokenctl -f
# @tables@
