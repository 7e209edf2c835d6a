-- A session of Neovim's with the server $LSP_COMMAND: asks for the symbols of the
-- file that is open, renames a method, waits for $GO when it is set, asks again,
-- and prints what it is told. With $MISTAKE it waits until it is told of one, puts
-- $REPAIR in the place of that text, and waits until it is told of none.
local wait_ms = 30000

local function say(text)
  io.stdout:write(text .. "\n")
  io.stdout:flush()
end

local function names(symbols, found)
  for _, symbol in ipairs(symbols or {}) do
    table.insert(found, symbol.name)
    names(symbol.children, found)
  end
  return found
end

local function request(id, method, params)
  params.textDocument = vim.lsp.util.make_text_document_params()
  local answers, why = vim.lsp.buf_request_sync(0, method, params, wait_ms)
  local answer = answers and answers[id] or {}
  return answer.result, why or answer.error and vim.fn.json_encode(answer.error) or ""
end

local function ask(id)
  local symbols, why = request(id, "textDocument/documentSymbol", {})
  return table.concat(names(symbols, {}), " ") .. why
end

local function told(diagnostics)
  return vim.wait(wait_ms, function() return (#vim.diagnostic.get(0) > 0) == diagnostics end, 20)
end

local function repair()
  if not told(true) then return say("told of no mistake") end
  local first = vim.diagnostic.get(0)[1]
  say("line " .. first.lnum + 1 .. ": " .. vim.split(first.message, "\n")[1])
  for i, line in ipairs(vim.api.nvim_buf_get_lines(0, 0, -1, true)) do
    local from, to = line:find(vim.env.MISTAKE, 1, true)
    if from then vim.api.nvim_buf_set_text(0, i - 1, from - 1, i - 1, to, { vim.env.REPAIR }) end
  end
  say(told(false) and "repaired" or "not repaired: " .. vim.inspect(vim.diagnostic.get(0)))
end

local function session()
  local attached = false -- the server has been told of the document
  local id = vim.lsp.start_client({
    name = "leased", cmd = vim.split(vim.env.LSP_COMMAND, " "), root_dir = vim.fn.getcwd(),
    flags = { debounce_text_changes = 0 }, on_attach = function() attached = true end,
  })
  vim.lsp.buf_attach_client(0, id)
  if not vim.wait(wait_ms, function() return attached end, 20) then
    return say("no answer to initialize")
  end
  if vim.env.MISTAKE then return repair() end
  say("first " .. ask(id))
  vim.api.nvim_buf_set_text(0, 1, 6, 1, 11, { "gleam" })
  say("edited")
  if vim.env.GO and not vim.wait(wait_ms, function() return vim.fn.filereadable(vim.env.GO) == 1 end, 20) then
    return say("no file " .. vim.env.GO)
  end
  -- ruby-lsp keeps symbols that were asked for right behind an edit as they were
  -- before it; what comes first is therefore another question.
  request(id, "textDocument/hover", { position = { line = 0, character = 8 } })
  say("then " .. ask(id))
end

local fine, why = pcall(session)
if not fine then say("error " .. tostring(why)) end
vim.cmd("qall!")
