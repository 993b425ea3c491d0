# bash completion for tokenctl. `tokenctl completion bash` prints it; print it again after an update of tokenctl.
# No program starts at TAB. It works with bash 3.2 (macOS), and without the package bash-completion.

# The table: what can follow the command $1. Sets `commands`, `options` and `arguments`,
# and for every command `settings` (of a profile) and `topics` (of help).
#
# An option is written NAME,NAME=VALUE; `...` before the = says that it can be repeated. A VALUE, like an argument, is
# a list of words with commas, or a kind: @profile, @file, @setting (KEY=VALUE), @key, @topic (of help), @program (and
# its own words), @text (nothing completes it).
__tokenctl_table() {
  commands='' options='' arguments=''
  case $1 in
# @tables@
}

# @profiles.sh@

# Offers the words that begin as $2 does; $1 is what stands before them in the same word, such as --format=.
__tokenctl_offer() { # HEAD TYPED WORD...
  local head=$1 typed=${2#[\"\']} word
  shift 2
  for word; do
    if [[ $word = "$typed"* ]]; then
      word=$head$word
      COMPREPLY+=("${word#"$kept"}")
    fi
  done
}

# Sets an option of this completion only. bash 3.2 has no compopt; see the end of this file.
__tokenctl_set() { # OPTION
  type compopt >/dev/null 2>&1 && compopt -o "$1"
}

__tokenctl_offer_profiles() { # HEAD TYPED
  local LC_ALL=C IFS=$'\n' config found line lines
  __tokenctl_config "$given_config"
  # Not from a pipe, which would wait.
  [[ -f $config && -r $config ]] || return 0
  lines=('')
  while IFS= read -r line || [[ -n $line ]]; do
    ((${#lines[@]} < 100000 && ${#line} < 10000)) || break # no person wrote it, and it would take long
    line=${line#$'\xef\xbb\xbf'} # the mark that Windows editors write first
    lines+=("${line%$'\r'}")
  done 2>/dev/null <"$config"
  __tokenctl_names "${lines[@]}"
  # shellcheck disable=SC2086 # one name a line, and no name has a character that a pattern has
  __tokenctl_offer "$1" "$2" $found
}

__tokenctl_offer_settings() { # HEAD TYPED
  local key=${2%%=*} each
  if [[ $2 = *=* ]]; then
    for each in $settings; do
      if [[ ${each%%=*} = "$key" ]]; then
        __tokenctl_offer_value "${each#*=}" "$1$key=" "${2#*=}"
      fi
    done
  else
    for each in $settings; do
      [[ $words_given = *" ${each%%=*}="* ]] || __tokenctl_offer "$1" "$2" "${each%%=*}="
    done
    __tokenctl_set nospace
  fi
}

__tokenctl_offer_topics() { # HEAD TYPED
  local commands options arguments
  __tokenctl_table "${words_given# }" # empty: the commands of tokenctl itself
  # shellcheck disable=SC2086 # a table is words
  __tokenctl_offer "$1" "$2" $commands
  # shellcheck disable=SC2086
  [[ -n $words_given ]] || __tokenctl_offer "$1" "$2" $topics
}

# Programs of PATH. `compgen -c` would also offer aliases, functions and builtins, which exec cannot run.
__tokenctl_offer_programs() { # TYPED
  local IFS=: folder file offered=/
  if [[ $1 = */* ]]; then
    __tokenctl_set default
  else
    for folder in $PATH; do
      for file in "$folder/$1"*; do
        # Two folders can have the same program, as /usr/bin and a link /bin to it.
        [[ ! -f $file || ! -x $file || $offered = *"/${file##*/}/"* ]] || __tokenctl_offer '' "$1" "${file##*/}"
        offered+=${file##*/}/
      done
    done
  fi
}

__tokenctl_offer_value() { # VALUE HEAD TYPED
  case $1 in
    @profile*) __tokenctl_offer_profiles "$2" "$3" ;;
    @file*) __tokenctl_set default ;; # readline completes files best: quotes, ~, folders
    @setting*) __tokenctl_offer_settings "$2" "$3" ;;
    @topic*) __tokenctl_offer_topics "$2" "$3" ;;
    @program*) __tokenctl_offer_programs "$3" ;;
    @key*)
      local each
      for each in $settings; do
        [[ "$words_given " = *" ${each%%=*} "* ]] || __tokenctl_offer "$2" "$3" "${each%%=*}"
      done
      ;;
    @* | '') ;;
    *)
      # shellcheck disable=SC2086
      __tokenctl_offer "$2" "$3" ${1//,/ }
      ;;
  esac
}

__tokenctl_offer_options() {
  local each names
  for each in $options; do
    names=${each%%=*}
    # shellcheck disable=SC2086
    [[ $each != *...* && $options_given = *",${names##*,},"* ]] || __tokenctl_offer '' "$cur" ${names//[,.]/ }
  done
  case $arguments in @program*) __tokenctl_offer '' "$cur" -- ;; esac
}

# Finds the option $1 in the table of the command. Sets `value` to what completes its value, and notes that it is given.
__tokenctl_find() {
  local each names
  for each in $options; do
    names=${each%%=*}
    names=,${names%...},
    if [[ $names = *",$1,"* ]]; then
      value=${each#"${each%%=*}"}
      value=${value#=}
      options_given+=$names
      return 0
    fi
  done
  value=
  return 1
}

# Sets `words` to the words up to the cursor, as the person typed them: bash splits them at = and : too. `starts` has
# the number of each word in COMP_WORDS.
__tokenctl_words() {
  local line=${COMP_LINE:0:COMP_POINT} i rest word
  words=() starts=()
  for ((i = 0; i <= COMP_CWORD; i++)); do
    rest=${line#"${line%%[![:space:]]*}"}
    word=${COMP_WORDS[i]}
    if ((i == COMP_CWORD)) || [[ $rest != "$word"* ]]; then
      word=$rest
    fi
    if ((i == 0)) || [[ $rest != "$line" ]]; then
      words+=("$word") starts+=("$i")
    else
      words[${#words[@]} - 1]+=$word
    fi
    line=${rest#"$word"}
  done
}

# Reads a word before the cursor: the value of the option before it, an option, a command, or an argument.
__tokenctl_read() { # WORD
  local word=$1
  if [[ -n $value ]]; then
    [[ $option != --config ]] || __tokenctl_note_config "$word"
    value=
    return 0
  fi
  case $dashes$word in
    --)
      dashes=yes
      return 0
      ;;
    --*)
      option=${word%%=*}
      __tokenctl_find "$option"
      if [[ $word = *=* ]]; then
        value=
        [[ $option != --config ]] || __tokenctl_note_config "${word#*=}"
      fi
      return 0
      ;;
    -?*) # short ones: -v, -vq, -p NAME, -pNAME
      option=
      for ((word_at = 1; word_at < ${#word}; word_at++)); do
        if [[ -n $value ]]; then
          value=
          break
        fi
        __tokenctl_find "-${word:word_at:1}"
      done
      return 0
      ;;
  esac
  case "$count $commands " in
    0*" $word "*)
      path+=${path:+ }$word
      __tokenctl_table "$path"
      ;;
    *)
      words_given+=" $word"
      count=$((count + 1))
      ;;
  esac
}

# Notes a value of --config as the shell will give it to tokenctl, in the usual forms. Nothing is evaluated.
__tokenctl_note_config() { # WORD
  case $1 in
    \"*\" | \'*\') given_config=${1:1:${#1}-2} ;;
    \~/*) given_config=${HOME-}/${1#??} ;;
    *) given_config=$1 ;;
  esac
  given_config=${given_config//\\/}
}

# Completes the word at the cursor, when the words before it are read.
__tokenctl_complete() {
  local each number=0
  if [[ -n $value ]]; then
    __tokenctl_offer_value "$value" '' "$cur"
    return 0
  fi
  case $dashes$cur in
    --*=*)
      __tokenctl_find "${cur%%=*}"
      __tokenctl_offer_value "$value" "${cur%%=*}=" "${cur#*=}"
      return 0
      ;;
    -[!-]?*)
      if __tokenctl_find "${cur:0:2}" && [[ -n $value ]]; then
        __tokenctl_offer_value "$value" "${cur:0:2}" "${cur:2}"
        return 0
      fi
      ;;
  esac
  if [[ -z $dashes && $cur = -* ]]; then
    __tokenctl_offer_options
  elif [[ -n $commands ]]; then
    # shellcheck disable=SC2086
    ((count > 0)) || __tokenctl_offer '' "$cur" $commands
  elif [[ -z $dashes$cur && $arguments = @program* ]]; then
    COMPREPLY=(--)
  else
    for each in $arguments; do
      if ((number == count)) || [[ $each = *... ]]; then
        __tokenctl_offer_value "${each%...}" '' "$cur"
        return 0
      fi
      number=$((number + 1))
    done
    [[ -n $dashes$cur ]] || __tokenctl_offer_options # nothing else can follow
  fi
}

# Completes the words of the program that `exec` runs, as its own completion does.
__tokenctl_child() { # its number in COMP_WORDS
  local each
  for each in _comp_command_offset _command_offset; do # of bash-completion, since 2.12 and before
    if declare -F "$each" >/dev/null; then
      "$each" "$1"
      return
    fi
  done
  __tokenctl_set default
}

_tokenctl() {
  local IFS=$' \t\n' i words starts cur kept tail word_at
  local path='' commands options arguments settings topics # the command, and the table
  local option='' value='' dashes='' count=0 words_given='' options_given='' given_config=''
  COMPREPLY=()
  __tokenctl_words
  __tokenctl_table ''
  cur=${words[${#words[@]} - 1]}
  for ((i = 1; i < ${#words[@]} - 1; i++)); do
    __tokenctl_read "${words[i]}"
    if [[ $arguments = @program* && $count -gt 0 ]]; then
      __tokenctl_child "${starts[i]}"
      return
    fi
  done
  # readline replaces only what follows the last = or : of the word.
  tail=$cur
  if [[ $cur != [\"\']* ]]; then
    [[ ${COMP_WORDBREAKS-} != *=* ]] || tail=${tail##*=}
    [[ ${COMP_WORDBREAKS-} != *:* ]] || tail=${tail##*:}
  fi
  kept=${cur%"$tail"}
  __tokenctl_complete 2>/dev/null # nothing is written to the prompt, whatever the config file has
}

# bash 3.2 does not know nosort. There, files are offered wherever nothing else is, and a space follows KEY= too.
complete -o nosort -F _tokenctl tokenctl 2>/dev/null || complete -o default -F _tokenctl tokenctl
