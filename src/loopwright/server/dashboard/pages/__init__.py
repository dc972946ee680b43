"""What each template is given: one frozen dataclass a template, and nothing else reaches it.

`answers.render` fills the template named by a page's class; a page inside a page is shown with `show(...)`.
"""
